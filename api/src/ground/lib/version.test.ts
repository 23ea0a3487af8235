// A release has one name, wherever it is read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { admin, call, startServer } from '../../../test/server.ts';
import { readConfig } from '../../config.ts';
import { backupSettings } from '../../operations/backups/settings.ts';
import { releaseOf } from './version.ts';

const root = new URL('../../../', import.meta.url);
const packaged: string = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version;

test("the image's name for itself counts, and where it has none, the package's", () => {
  assert.equal(releaseOf({ APP_VERSION: '2.0.0-rc.1' }), '2.0.0-rc.1');
  assert.equal(releaseOf({ APP_VERSION: 'dev' }), 'dev');
  for (const none of [{}, { APP_VERSION: '' }, { APP_VERSION: ' ' }]) assert.equal(releaseOf(none), packaged);
});

test('healthz, the status, the OpenAPI document, backups and the command line name the same release', async () => {
  for (const [named, expected] of [
    ['7.8.9', '7.8.9'],
    ['dev', 'dev'],
  ] as const) {
    const server = await startServer({ APP_VERSION: named });
    try {
      const read = async (path: string) => (await call(server.url + path, 'GET', undefined, admin)).body;
      assert.equal((await read('/v1/healthz')).version, expected);
      assert.equal((await read('/v1/admin/status')).version, expected);
      assert.equal((await read('/v1/openapi.json')).info.version, expected);
    } finally {
      await server.end();
    }
    const config = readConfig({
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      IP_HASH_PEPPER: 'a pepper of sixteen',
      APP_VERSION: named,
    });
    assert.equal(backupSettings(config).version, expected);
    const cli = (...words: string[]) =>
      spawnSync(process.execPath, [fileURLToPath(new URL('src/cli.ts', root)), ...words], {
        env: { PATH: process.env.PATH, APP_VERSION: named },
        encoding: 'utf8',
      }).stdout;
    assert.equal(cli('version'), `${expected}\n`);
    assert.ok(cli('help').includes(`release ${expected}.`));
  }
});

test("the image's label and what the API in it says come from the same word", () => {
  const dockerfile = readFileSync(new URL('Dockerfile', root), 'utf8');
  const compose = readFileSync(new URL('../compose.yaml', root), 'utf8');
  const example = readFileSync(new URL('../.env.example', root), 'utf8');
  assert.ok(dockerfile.split('\n').includes(`ARG VERSION=${packaged}`));
  assert.ok(compose.includes(`VERSION: \${VERSION:-${packaged}}`));
  assert.ok(example.split('\n').includes(`#VERSION=${packaged}`));
  assert.match(dockerfile, /org\.opencontainers\.image\.version="\$\{VERSION\}"/);
  assert.match(dockerfile, /\bAPP_VERSION=\$\{VERSION\} /);
});
