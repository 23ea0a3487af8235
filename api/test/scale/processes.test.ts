// Three processes on one database and one DATA_DIR: what is sent to all of them at once counts once, and what one of them
// acknowledged outlives it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address, anon, makeEvent } from '../make.ts';
import { call, startServer, type TestServer } from '../server.ts';
import { type Child, startChild } from './child.ts';

let one: TestServer;
let other: TestServer;
let third: Child;
before(async () => {
  one = await startServer();
  const DATA_DIR = one.folder;
  other = await startServer({ DATA_DIR }, one.database);
  third = await startChild(one.database.ownerUrl, { DATA_DIR });
});
after(async () => {
  await third.kill();
  await other.stop();
  await one.end();
});

const urls = () => [one.url, other.url, third.url];
const rows = async (sql: string, values: unknown[] = []) =>
  (await one.database.owner.query(sql, values)).rows;
const atOnce = (path: string, body: unknown, times = 1) =>
  Promise.all(
    urls().flatMap((url) => Array.from({ length: times }, () => call(`${url}/v1/${path}`, 'POST', body))),
  );

test('an event that is sent to all of them at once is stored once', async () => {
  const events = Array.from({ length: 12 }, () => makeEvent({ anonId: anon() }));
  const answers = (await Promise.all(events.map((event) => atOnce('events', event)))).flat();
  assert.deepEqual(
    answers.filter(({ status }) => status >= 300),
    [],
  );
  const [{ count }] = await rows('select count(*)::int as count from events where event_id = any ($1)', [
    events.map(({ eventId }) => eventId),
  ]);
  assert.equal(count, 12);
});

test('one browser at all of them at once is one visitor on one visit', async () => {
  const anonId = anon();
  await Promise.all(
    urls().flatMap((url) =>
      Array.from({ length: 8 }, (_, n) =>
        call(`${url}/v1/events`, 'POST', makeEvent({ anonId, path: `/page-${n}` })),
      ),
    ),
  );
  const [found] = await rows(
    `select count(*)::int as events, count(distinct session_id)::int as visits, count(distinct visitor_id)::int as visitors
     from events where visitor_id = (select visitor_id from events e where e.path = '/page-7' limit 1)`,
  );
  assert.deepEqual(found, { events: 24, visits: 1, visitors: 1 });
});

test('a body without an id, sent to all of them at once, is one event', async () => {
  const path = `/without-${randomUUID()}`;
  await atOnce('events', { anonId: anon(), eventType: 'page_view', path }, 3);
  assert.equal((await rows('select from events where path = $1', [path])).length, 1);
});

test('an address that is left at all of them at once is one lead', async () => {
  const email = address();
  const answers = await atOnce('leads/capture', { email, anonId: anon(), consentStatus: 'pending' }, 3);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal((await rows('select from leads where email_normalized = $1', [email])).length, 1);
});

test('each has a journal of its own beside the others’', () => {
  const folders = [one, other].map(({ services }) => services.leads.journal.folder);
  assert.deepEqual(folders, [`${one.folder}/journal`, `${one.folder}/journal-2`]);
});

test('what one of them acknowledged before it was killed is there, and the ledger balances', async () => {
  const acknowledged: string[] = [];
  let sends = true;
  const clients = Array.from({ length: 4 }, async () => {
    while (sends) {
      const event = makeEvent({ anonId: anon() });
      const answer = await call(`${third.url}/v1/events`, 'POST', event).catch(() => null);
      if (answer === null) return;
      if (answer.status < 300) acknowledged.push(event.eventId as string);
    }
  });
  while (acknowledged.length < 40) await new Promise((done) => setTimeout(done, 5));
  await third.kill();
  sends = false;
  await Promise.all(clients);
  const [{ count }] = await rows('select count(*)::int as count from events where event_id = any ($1)', [
    acknowledged,
  ]);
  assert.equal(count, acknowledged.length);
  const { result } = await one.services.runner.runNow('ledger');
  assert.equal(result?.imbalances, 0);
});
