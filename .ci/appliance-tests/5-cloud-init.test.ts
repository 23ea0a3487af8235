// What can be said of the files alone: cloud-init.yaml is valid, small, without secrets; scripts are clean and explain themselves.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, shared } from './stack.ts';

const file = join(repository, 'cloud-init.yaml');
const text = readFileSync(file, 'utf8');

test('cloud-init accepts it', () => {
  assert.match(execFileSync(join(shared, 'cloud-init-schema'), [file]).toString(), /Valid schema/);
});

test('it is far below the 32 000 bytes that the vendor allows for all metadata, and names the release to run', () => {
  assert.ok(Buffer.byteLength(text) < 16_000);
  assert.match(text, /^ {6}IMAGE=\S+:\d+\.\d+\.\d+$/m);
});

test('no secret is in it', () => {
  assert.doesNotMatch(text, /(password|secret|key|token)\s*[=:]\s*["']?[A-Za-z0-9+/_-]{16,}/i);
});

test('the scripts in it are clean for shellcheck', () => {
  const scripts = [...text.matchAll(/content: \|\n((?: {6}.*\n|\n)+)/g)]
    .map((match) => match[1]!.replace(/^ {6}/gm, ''))
    .filter((script) => script.startsWith('#!'));
  assert.equal(scripts.length, 2);
  for (const script of scripts) execFileSync('shellcheck', ['-'], { input: script });
});

test('every setting of the database has its reason beside it', () => {
  const lines = readFileSync(join(repository, 'postgres/postgresql.conf'), 'utf8').split('\n');
  const bare = lines.filter((line) => /^\w+ *=/.test(line) && !/#\s*\S+/.test(line));
  assert.deepEqual(bare, []);
});

test('.env.example has every setting of compose.yaml, with the same default', () => {
  const compose = readFileSync(join(repository, 'compose.yaml'), 'utf8');
  const example = readFileSync(join(repository, '.env.example'), 'utf8');
  const defaults = new Map<string, string>();
  for (const [, name, value] of compose.matchAll(/\$\{(\w+):-([^{}$]*)\}/g)) defaults.set(name!, value!);
  assert.ok(defaults.size > 8);
  for (const [name, value] of defaults)
    assert.ok(example.includes(`\n#${name}=${value}\n`), `${name}=${value}`);
  assert.match(example, /\n#PUBLIC_URL=\n/);
});

test('every operator’s script explains itself', () => {
  for (const name of readdirSync(join(repository, 'scripts'))) {
    if (['lib.sh', 'change.sh', 'prepare', 'start', 'test'].includes(name)) continue;
    const said = execFileSync(join(repository, 'scripts', name), ['--help']).toString();
    assert.ok(said.startsWith(name) && said.length > 100, name);
  }
});
