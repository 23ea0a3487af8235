// Processes on one database know how many they are, hear what the others change, and share what is limited for all.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { captureLimits } from '../../src/product/captures/limits.ts';
import { makeDayRoom } from '../../src/product/events/day-room.ts';
import { admin, call, startServer, type TestServer } from '../server.ts';
import { startChild } from './child.ts';

let one: TestServer;
let other: TestServer;
before(async () => {
  one = await startServer();
  other = await startServer({ DATA_DIR: one.folder }, one.database);
});
after(async () => {
  await other.stop();
  await one.end();
});

const soon = () => new Promise((done) => setTimeout(done, 5));

test('each counts the others, and no longer one that has ended', async () => {
  const third = await startServer({ DATA_DIR: one.folder }, one.database);
  await one.services.presence.beat();
  assert.equal(one.services.presence.count(), 3);
  await third.stop();
  await one.services.presence.beat();
  assert.equal(one.services.presence.count(), 2);
});

test('a site that one of them makes is known to the other as soon as it heard of it', {
  timeout: 60_000,
}, async () => {
  while (!other.services.presence.hears()) await soon();
  const origins = ['https://cakes.example'];
  const made = await call(`${one.url}/v1/sites`, 'POST', { key: 'cakes', name: 'Cakes', origins }, admin);
  assert.ok(made.status < 300, JSON.stringify(made.body));
  while (!other.services.sites.allowsOrigin(origins[0]!)) await soon();
});

test('the leases of a process that was killed wait for nobody, once another has its folder', async () => {
  const { owner } = one.database;
  const killed = await startChild(one.database.ownerUrl, { DATA_DIR: one.folder });
  await killed.kill();
  await owner.query(
    `insert into leases (name, holder, process_id, until)
     select 'job ledger', process_id, process_id, now() + interval '1 hour' from processes where process_id <> all ($1)`,
    [[one, other].map(({ services }) => services.presence.id)],
  );
  await assert.rejects(one.services.runner.runNow('ledger'), { code: 'conflict' });
  const next = await startServer({ DATA_DIR: one.folder }, one.database);
  assert.equal((await one.services.runner.runNow('ledger')).state, 'succeeded');
  await next.stop();
});

test('what many clients share is divided among them; what is one client’s is not', () => {
  let processes = 4;
  const limits = captureLimits(true, () => processes);
  for (let n = 0; n < 60; n += 1) limits.take('192.0.2.7');
  assert.throws(() => limits.take('192.0.2.8'), { code: 'rate_limited' });
  processes = 2;
  limits.take('192.0.2.9');
  const room = makeDayRoom({
    bytesMax: 8000,
    freeBytes: () => null,
    siteCount: () => 1,
    processCount: () => 2,
  });
  const events = (client: string) => {
    for (let n = 0; n < 20; n += 1) room.takeEvent('site', `${client}-${n}`, 100);
  };
  assert.throws(() => events('someone'), { code: 'daily_limit' });
  assert.ok(room.today().bytes <= 4000);
});
