// Bytes are limited as counts are: of a client a minute, of a client, a site and all sites a day; and nothing is refused unseen.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address, makeEvent } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { makeDayRoom } from './day-room.ts';

const HOUR = 3_600_000;
const NOON = Date.parse('2026-03-04T12:00:00Z');

test('a day takes a tenth of what is free, one of several sites half of that, and midnight (UTC) begins anew', () => {
  let now = NOON;
  let free = 10_000_000_000;
  const room = makeDayRoom({ bytesMax: null, freeBytes: () => free, siteCount: () => 2, clock: () => now });
  const taken = (siteId: string, most: number, hours = 12) => {
    for (let n = 0; n < most; n += 1)
      try {
        room.takeEvent(siteId, `client ${n % 500}`, 1e9); // counted as the most that is kept of an event
      } catch (error) {
        assert.equal((error as { code: string }).code, 'daily_limit');
        assert.equal((error as { retryAfterSeconds: number }).retryAfterSeconds, (hours * HOUR) / 1000);
        return n;
      }
    return most;
  };
  const perEvent = 600 + 1.5 * 16 * 1024;
  assert.equal(taken('one', 50_000), Math.floor(500_000_000 / perEvent));
  assert.equal(taken('two', 50_000), Math.floor(500_000_000 / perEvent));
  assert.deepEqual([room.today().bytesMax, room.today().fullSites], [1_000_000_000, 2]);
  free = 1_000_000_000;
  now += 12 * HOUR;
  assert.equal(taken('one', 50_000, 24), Math.floor(50_000_000 / perEvent));
});

test('one client takes a twentieth of a site’s day', () => {
  const room = makeDayRoom({
    bytesMax: 100_000_000,
    freeBytes: () => null,
    siteCount: () => 1,
    clock: () => NOON,
  });
  let taken = 0;
  assert.throws(() => {
    for (;;) {
      room.takeEvent('one', 'a single client', 400);
      taken += 1;
    }
  }, /before the day/);
  assert.equal(taken, Math.floor(5_000_000 / (600 + 600)));
  room.takeEvent('one', 'another client', 400);
});

let server: TestServer;
before(async () => {
  server = await startServer({ RATE_LIMITS: 'on', EVENTS_MB_PER_DAY: '1', TRUSTED_PROXIES: '127.0.0.1' });
});
after(() => server.end());
const post = (path: string, body: unknown, from: string) =>
  call(`${server.url}${path}`, 'POST', body, { 'x-real-ip': from });
const bulky = () => ({
  ...makeEvent({ anonId: randomUUID() }),
  props: Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`p${n}`, 'x'.repeat(1900)])),
});

test('a day’s room that is spent turns into counted refusals that say when to come back', async () => {
  const statuses: number[] = [];
  let last: Awaited<ReturnType<typeof post>> | undefined;
  for (let n = 0; n < 8; n += 1) {
    last = await post('/v1/events', bulky(), '203.0.113.1');
    statuses.push(last.status);
  }
  assert.deepEqual(statuses, [202, 202, 202, 202, 429, 429, 429, 429], '50 KB a client');
  assert.equal(last!.body.error, 'daily_limit');
  const wait = Number(last!.headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= 86_400);
  const batch = await post('/v1/events', { events: [bulky(), bulky()] }, '203.0.113.1');
  assert.deepEqual([batch.status, batch.body.error], [429, 'daily_limit']);
  assert.equal((await post('/v1/events', makeEvent({ anonId: randomUUID() }), '203.0.113.2')).status, 202);
  await server.services.ledger.flush();
  const { rows } = await server.database.owner.query(
    "select sum(count)::int as refused from ingest_ledger where outcome = 'rejected' and reason = 'daily_limit'",
  );
  assert.deepEqual(rows, [{ refused: 6 }]);
});

test('large bodies have fewer to send a minute than small ones', async () => {
  // 16 of 31 KB are half a megabyte
  const large = { ...makeEvent({ anonId: randomUUID() }), padding: 'y'.repeat(31 * 1024) };
  const statuses: number[] = [];
  for (let n = 0; n < 18; n += 1) statuses.push((await post('/v1/events', large, '203.0.113.3')).status);
  assert.equal(statuses.at(-1), 429);
});

test('what a flood of refusals leaves to look at is bounded for a client; the counts are exact', async () => {
  for (let n = 0; n < 40; n += 1)
    await post('/v1/events', { ...makeEvent({ anonId: randomUUID() }), eventType: '' }, '203.0.113.4');
  await server.services.ledger.flush();
  const counted = await server.database.owner.query(
    "select sum(count)::int as n from ingest_ledger where outcome = 'rejected' and reason = 'invalid_request'",
  );
  assert.equal(counted.rows[0].n, 40);
  const kept = await server.database.owner.query("select from rejections where reason = 'invalid_request'");
  assert.ok(kept.rowCount! >= 1 && kept.rowCount! <= 3, `${kept.rowCount}`);
});

test('a form keeps its address, and says that the rest was left out, when the disk is nearly full or the day is', async () => {
  const capture = (email: string, from: string, message: string) =>
    post('/v1/leads/capture', { email, anonId: randomUUID(), payload: { message } }, from);
  const payloadOf = async (email: string) =>
    (
      await server.database.owner.query(
        'select payload from submissions join leads using (site_id, lead_id) where email_normalized = $1',
        [email],
      )
    ).rows[0].payload;
  const [whole, short, flooded] = [address(), address(), address()];
  assert.equal((await capture(whole, '203.0.113.5', 'two loaves')).body.warnings, undefined);
  assert.deepEqual(await payloadOf(whole), { message: 'two loaves' });
  const { disk } = server.services;
  disk.isShort = true;
  try {
    const answer = await capture(short, '203.0.113.5', 'two loaves');
    assert.equal(answer.status, 200);
    assert.deepEqual(
      answer.body.warnings.map(({ path }: { path: string }) => path),
      ['payload'],
    );
    assert.deepEqual(await payloadOf(short), { _cut: ['payload'] });
  } finally {
    disk.isShort = false;
  }
  const answers = [];
  for (let n = 0; n < 3; n += 1)
    answers.push(await capture(n < 2 ? address() : flooded, '203.0.113.6', 'z'.repeat(8000)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.deepEqual(await payloadOf(flooded), { _cut: ['payload'] });
});

test('wordings of consent that a form makes up without end wait to be looked at', async () => {
  const { captureLimits } = server.services.leads;
  const { siteId } = server.services.sites.fallback();
  for (let n = 0; n < 500; n += 1) captureLimits.tooMany(siteId, `hash ${n}`, `wording ${n}`);
  const consentOf = (text: string) => ({ consentStatus: 'express', consent: { text, language: 'en' } });
  const [known, made] = [address(), address()];
  const send = (email: string, text: string) =>
    post('/v1/leads/capture', { email, anonId: randomUUID(), ...consentOf(text) }, '203.0.113.7');
  assert.equal((await send(known, 'wording 7')).status, 200);
  assert.equal((await send(made, `Dear ${made}, mail me.`)).status, 200);
  const { rows } = await server.database.owner.query(
    'select email_normalized as email, reasons from quarantine where email_normalized = any ($1)',
    [[known, made]],
  );
  assert.deepEqual(rows, [{ email: made, reasons: ['too_many_wordings'] }]);
});
