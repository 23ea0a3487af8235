// `scripts/start`, as whoever tries the product first meets it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeEvent } from '../test/make.ts';
import { call } from '../test/server.ts';
import { freePort } from './ground/db/embedded.ts';

const folder = mkdtempSync(join(tmpdir(), 'marketing-start-'));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function begin(settings: Record<string, string>) {
  const port = await freePort();
  const { TEST_SERVER_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, ['src/local.ts'], {
    env: { ...env, DATA_DIR: folder, PORT: String(port), DEMO_PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  const exited = new Promise<number | null>((done) => child.on('exit', done));
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdout.resume();
  await Promise.race([
    exited,
    new Promise<void>((done) => {
      child.stderr.on('data', () => {
        if (said.includes('Ready.')) done();
      });
    }),
  ]);
  return { url: `http://127.0.0.1:${port}`, child, exited, said: () => said };
}

test('the first start makes everything, says where it is, and the next one still has the data', async () => {
  const first = await begin({});
  assert.match(first.said(), /Demo site +http/);
  const setup = /First owner +(\S+)/.exec(first.said())?.[1];
  assert.match(setup ?? '', new RegExp(`^${first.url}/app/#/setup/[\\w-]{43}$`));
  const key = /Admin key +(\S+)/.exec(first.said())?.[1];
  assert.ok(key && key.length >= 24);
  assert.equal(statSync(join(folder, 'secrets', 'admin_api_key')).mode & 0o777, 0o600);
  const event = makeEvent();
  assert.equal((await call(`${first.url}/v1/events`, 'POST', event)).status, 202);
  const demo = /Demo site +(\S+)/.exec(first.said())![1]!;
  const page = await call(demo);
  assert.equal(page.status, 200);
  assert.match(page.body, new RegExp(`src="${first.url}/s\\.js"`));
  const answer = await call(`${first.url}/v1/events`, 'POST', makeEvent(), { origin: demo });
  assert.equal(answer.headers.get('access-control-allow-origin'), demo);
  first.child.kill('SIGINT');
  assert.equal(await first.exited, 0);

  const second = await begin({});
  assert.equal((await call(`${second.url}/v1/events`, 'POST', event)).body.duplicate, true);
  assert.equal((await call(`${second.url}/v1/sites`, 'GET', undefined, { 'x-admin-key': key })).status, 200);
  second.child.kill('SIGTERM');
  assert.equal(await second.exited, 0);
});

test('a start after a kill takes over from the database that was left running, and a second one beside it is refused', async () => {
  const killed = await begin({});
  const event = makeEvent();
  assert.equal((await call(`${killed.url}/v1/events`, 'POST', event)).status, 202);
  killed.child.kill('SIGKILL');
  await killed.exited;
  const next = await begin({});
  assert.match(next.said(), /Ready\./);
  assert.equal((await call(`${next.url}/v1/events`, 'POST', event)).body.duplicate, true);
  const beside = await begin({});
  assert.equal(await beside.exited, 1);
  assert.match(beside.said(), /Another process of this product is using the database/);
  assert.equal((await call(`${next.url}/v1/healthz`)).status, 200, 'and leaves the first one alone');
  next.child.kill('SIGTERM');
  assert.equal(await next.exited, 0);
});

test('wrong settings stop the start with every fault and no stack', async () => {
  const { exited, said } = await begin({ PORT: 'abc', SESSION_INACTIVITY_MINUTES: '0' });
  assert.equal(await exited, 1);
  assert.match(said(), /PORT: must be a whole number/);
  assert.match(said(), /SESSION_INACTIVITY_MINUTES: must be at least 1/);
  assert.doesNotMatch(said(), /at .*\.ts:\d+/);
});
