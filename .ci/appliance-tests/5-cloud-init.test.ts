// What can be said of the files alone: the release workflow, cloud-init.yaml is valid, small, without secrets; scripts are clean and explain themselves.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
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

test('no limit ends a build from source, which takes an hour, before what is built can start', () => {
  const service = /path: \/etc\/systemd\/system\/marketing\.service\n[\s\S]*?\[Install\]/.exec(text)![0];
  assert.match(service, /^ +TimeoutStartSec=infinity$/m);
  assert.match(text, /up --detach --no-build --wait --wait-timeout \d+$/m);
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
    if (['lib.sh', 'change.sh', 'back.sh', 'prepare', 'start', 'test'].includes(name)) continue;
    const said = execFileSync(join(repository, 'scripts', name), ['--help']).toString();
    assert.ok(said.startsWith(name) && said.length > 100, name);
  }
});

interface Workflow {
  on: { push: { tags: string[] } };
  jobs: Record<
    string,
    { 'timeout-minutes': number; steps: { name?: string; uses?: string; run?: string }[] }
  >;
}

test('the release workflow is one that a runner can read: sound YAML, clean scripts, both processors, the tag that scripts/release makes', async () => {
  const { load } = (await import(
    pathToFileURL(join(repository, 'api/node_modules/js-yaml/dist/js-yaml.mjs')).href
  )) as { load: (text: string) => unknown };
  const written = readFileSync(join(repository, '.github/workflows/release.yml'), 'utf8');
  const { on, jobs } = load(written) as Workflow;
  const number = readFileSync(join(repository, 'scripts/release'), 'utf8').includes('"v$number"');
  assert.deepEqual([number, on.push.tags], [true, ['v[0-9]+.[0-9]+.[0-9]+']]);
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  assert.ok(Object.values(jobs).every((job) => job['timeout-minutes'] > 0));
  for (const { uses, run, name } of steps) {
    assert.notEqual(uses === undefined, run === undefined, name);
    if (uses) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+$/);
    if (!run) continue;
    // what an expression becomes is text of whoever pushed: it goes by the environment, never into a script
    assert.doesNotMatch(run, /\$\{\{/, name);
    execFileSync('shellcheck', ['--shell=bash', '-'], { input: run });
  }
  const build = steps.find(({ run }) => run?.includes('buildx build'))!.run!;
  assert.match(build, /--platform linux\/amd64,linux\/arm64/);
  const dockerfile = readFileSync(join(repository, 'api/Dockerfile'), 'utf8');
  const given = [...build.matchAll(/--build-arg (\w+)=/g)].map(([, name]) => name!);
  assert.deepEqual(given, ['VERSION', 'REVISION']);
  for (const name of given) assert.match(dockerfile, new RegExp(`^ARG ${name}=`, 'm'));
});

test('a machine that was given neither image nor source waits quietly, one that was moved stays down, and both say so; with a source it is built once', () => {
  const script = /path: \/usr\/local\/sbin\/marketing-up\n[\s\S]*?content: \|\n((?: {6}.*\n|\n)+)/.exec(
    text,
  )![1]!;
  const folder = mkdtempSync(join(tmpdir(), 'marketing-up-'));
  // stood in for: an engine without images that notes what it is asked, and a place that has the source
  const asked = join(folder, 'asked');
  writeFileSync(asked, '');
  for (const [name, lines] of Object.entries({
    docker: `echo "$*" >>${asked}\ncase "$*" in *'image inspect marketing-api:source-'*) exit 1 ;; 'image inspect'*) echo id ;; esac`,
    curl: `tar -C ${folder} -czf - release`,
  }))
    writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  mkdirSync(join(folder, 'release/api'), { recursive: true });
  const up = (dotenv: string) => {
    writeFileSync(join(folder, '.env'), dotenv);
    return execFileSync('bash', ['-c', script.replace(/^ {6}/gm, '').replaceAll('/opt/marketing', folder)], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    }).toString();
  };
  assert.match(up('IMAGE=\nSITE_ADDRESS=localhost\n'), /no release yet.*scripts\/ship user@server/);
  assert.doesNotMatch(readFileSync(asked, 'utf8'), /^(pull|run|build)| up /m);
  writeFileSync(join(folder, '.moved'), '2026-11-26T18:00:00Z\n');
  assert.match(
    up('IMAGE=marketing-api:1\n'),
    /moved to another machine.*rm .*\.moved && systemctl restart marketing/,
  );
  rmSync(join(folder, '.moved'));
  assert.doesNotMatch(readFileSync(asked, 'utf8'), / up /m, 'after a move it stays down');
  assert.match(up('IMAGE=\nSOURCE=https://git.example.com/v1.tar.gz\n'), /building https:\/\/git/);
  const [, tag] =
    /build --quiet --file \.source\/api\/Dockerfile --tag (marketing-api:source-[0-9a-f]{12}) \.source$/m.exec(
      readFileSync(asked, 'utf8'),
    )!;
  assert.ok(readFileSync(join(folder, '.env'), 'utf8').startsWith(`IMAGE=${tag}\nSOURCE=`));
  assert.match(readFileSync(asked, 'utf8'), / up --detach --no-build --wait /);
  rmSync(folder, { recursive: true, force: true });
});
