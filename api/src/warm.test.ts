// What the image's build puts into the compile cache is what the API needs at its start.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PEPPER } from '../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../test/database.ts';
import { freePort } from './ground/db/embedded.ts';

const cache = mkdtempSync(join(tmpdir(), 'marketing-warm-'));
const cwd = join(import.meta.dirname, '..');
let database: TestDatabase;
before(async () => {
  database = await makeDatabase();
});
after(async () => {
  await database.drop();
  rmSync(cache, { recursive: true, force: true });
});

const warm = () =>
  execFileSync(process.execPath, ['src/warm.ts'], { cwd, env: { NODE_COMPILE_CACHE: cache } });

/** Starts the API, waits until it serves, ends it. returns  the files whose types it had to strip itself */
async function strippedAtStart(): Promise<string[]> {
  const port = await freePort();
  const api = spawn(process.execPath, ['src/main.ts'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      NODE_COMPILE_CACHE: cache,
      NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: cache,
      DATABASE_URL: database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
    },
  });
  let said = '';
  api.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const ended = once(api, 'exit');
  const serves = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (api.exitCode === null && !(await serves())) await new Promise((done) => setTimeout(done, 50));
  api.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], said.slice(-500));
  assert.match(said, /retrieving transpile cache for StrippedTypeScript file:\S+main\.ts\.\.\.success/);
  // the builds of snippet and dashboard run beside the code alone: an image has their files
  return [...said.matchAll(/no transpile cache for StrippedTypeScript (\S+)/g)]
    .map(([, file]) => file!)
    .filter((file) => !file.endsWith('/build.ts'));
}

test('a server whose image was warmed strips no types at its start', async () => {
  warm();
  assert.deepEqual(await strippedAtStart(), []);
});
