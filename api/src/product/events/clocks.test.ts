// Two clocks in one visit, and who takes part in it: browsers that are off, servers that tell later, forms left open, bots.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { hours, makeEvent, minutes } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const post = (body: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/events`, 'POST', body, headers);
const capture = (body: unknown) => call(`${server.url}/v1/leads/capture`, 'POST', body);
const summaryOf = async (propertyId: string) => {
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const today = dayOf(Date.now());
  return (
    await call(
      `${server.url}/v1/metrics/summary?from=${addDays(today, -4)}&to=${addDays(today, 1)}&propertyId=${propertyId}`,
      'GET',
      undefined,
      admin,
    )
  ).body;
};
const makeSite = (key: string) => call(`${server.url}/v1/sites`, 'POST', { key }, admin);
const sessionsOf = (visitorId: string) =>
  rows('select * from sessions where visitor_id = $1 order by started_at', [visitorId]);

const CLOCKS: [string, number][] = [
  ['right', 0],
  ['90 s ahead', 90_000],
  ['40 min ahead', minutes(40)],
  ['3 days ahead', hours(72)],
  ['4 s ahead', 4000],
  ['90 s behind', -90_000],
  ['40 min behind', -minutes(40)],
  ['3 days behind', -hours(72)],
];
for (const [clock, offset] of CLOCKS)
  for (const sends of ['when it sent', 'no time of sending', 'the time of the batch'])
    test(`a visit by a browser whose clock is ${clock}, which tells ${sends}, keeps its source, landing and conversion`, async () => {
      const propertyId = `clock ${clock} ${sends}`;
      await makeSite(propertyId);
      const anonId = `visitor-${randomUUID()}`;
      const now = Date.now() + offset;
      const landing = makeEvent({
        anonId,
        propertyId,
        path: '/offer',
        referrer: 'https://www.google.com/',
        timestamp: now - 20_000,
        ...(sends === 'when it sent' ? { sentAt: now } : {}),
      });
      await post(sends === 'the time of the batch' ? { events: [landing], sentAt: now } : landing);
      const email = `${randomUUID()}@example.com`;
      const { status, body } = await capture({ email, anonId, propertyId });
      assert.equal(status, 200);
      const sessions = await sessionsOf(body.visitorId);
      assert.deepEqual(
        sessions.map(({ source, landing_path }) => [source, landing_path]),
        [['organic_search', '/offer']],
      );
      const [lead] = await rows('select * from leads where email = $1', [email]);
      assert.deepEqual([lead.first_source, lead.first_path], ['organic_search', '/offer']);
      // a server's signup, by its own right clock, in the middle of it
      await post(makeEvent({ anonId, propertyId, eventType: 'signup', timestamp: new Date().toISOString() }));
      assert.equal((await sessionsOf(body.visitorId))[0].landing_path, '/offer');
      const { metrics } = await summaryOf(propertyId);
      assert.equal(metrics.landingPageConversionRate.value, 1);
      assert.deepEqual(metrics.trafficSourceMix, { organic_search: 1 });
      if (sends !== 'no time of sending' && Math.abs(offset) > 5000) {
        const [event] = await rows(
          "select * from events where visitor_id = $1 and event_type = 'page_view'",
          [body.visitorId],
        );
        assert.equal(event.clamped, false);
        assert.ok(Math.abs(event.received_at - event.occurred_at - 20_000) < 5000);
      }
    });

const NOW = 1_764_115_200_000;
const TIMES: [string, unknown, number | null][] = [
  ['epoch milliseconds', NOW, NOW],
  ['epoch seconds', NOW / 1000, NOW],
  ['epoch seconds with a fraction', NOW / 1000 + 0.25, NOW + 250],
  ['epoch milliseconds as a text', String(NOW), NOW],
  ['epoch seconds as a text', String(NOW / 1000), NOW],
  ['an ISO instant', new Date(NOW).toISOString(), NOW],
  ['an ISO instant without a zone, which is UTC', new Date(NOW).toISOString().slice(0, -1), NOW],
  ['null', null, null],
  ['none', undefined, null],
];
for (const [what, timestamp, wanted] of TIMES)
  test(`a timestamp may be ${what}`, async () => {
    const { enrich } = await import('./enrich.ts');
    const { eventInput } = await import('./schema.ts');
    const client = { ipHash: '\\x00', uaHash: '\\x00', userAgent: '' };
    const facts = {
      siteId: 'site',
      ownHosts: [],
      client,
      country: null,
      privacySignal: false,
      prefetch: false,
    };
    const { client_at } = enrich(eventInput.parse(makeEvent({ timestamp })), facts, null);
    assert.equal(client_at === undefined ? null : Date.parse(client_at), wanted);
  });

test('a time of sending that is none, or another clock than the event, is left out of account', async () => {
  for (const sentAt of ['yesterday', null, true, -1, 5, {}]) {
    const timestamp = Date.now() - 60_000;
    const { status, body } = await post(makeEvent({ anonId: `visitor-${randomUUID()}`, timestamp, sentAt }));
    assert.equal(status, 202, String(sentAt));
    const [event] = await rows('select occurred_at from events where event_id = $1', [body.eventId]);
    assert.equal(event.occurred_at.getTime(), timestamp, String(sentAt));
  }
});

test('sent again after the clock was set right, an event without an id is the one it was', async () => {
  const event = makeEvent({
    eventId: undefined,
    anonId: `visitor-${randomUUID()}`,
    timestamp: Date.now() - 90_000,
  });
  await post({ ...event, sentAt: Date.now() - 80_000 });
  assert.equal((await post({ ...event, sentAt: Date.now() })).body.duplicate, true);
});

test('a form left open for 45 minutes carries on the source of the visit it was opened in', async () => {
  const propertyId = 'form left open';
  await makeSite(propertyId);
  const anonId = `visitor-${randomUUID()}`;
  await post(
    makeEvent({
      anonId,
      propertyId,
      path: '/offer',
      referrer: 'https://www.google.com/',
      timestamp: Date.now() - minutes(45),
    }),
  );
  // what the browser sent 45 minutes ago arrived then
  await rows(
    "update events set received_at = occurred_at where path = '/offer' and event_type = 'page_view'",
  );
  const { body } = await capture({ email: 'patient@example.com', anonId, propertyId });
  const sessions = await sessionsOf(body.visitorId);
  assert.deepEqual(
    sessions.map(({ source, is_carried }) => [source, is_carried]),
    [
      ['organic_search', false],
      ['organic_search', true],
    ],
  );
  assert.deepEqual((await summaryOf(propertyId)).metrics.trafficSourceMix, { organic_search: 1 });
  const today = dayOf(Date.now());
  const { body: attribution } = await call(
    `${server.url}/v1/metrics/attribution?from=${today}&to=${today}&propertyId=${encodeURIComponent(propertyId)}&model=last`,
    'GET',
    undefined,
    admin,
  );
  assert.ok(!JSON.stringify(attribution).includes('direct'));
});

test('whatever order they come in, a session without a source of its own has that of the session before', async () => {
  const events = [
    { at: minutes(300), utm: { source: 'news', medium: 'email' } },
    { at: minutes(200), referrer: 'https://bakery.example/' },
    { at: minutes(100), referrer: 'https://bakery.example/' },
  ];
  await call(`${server.url}/v1/sites`, 'POST', { key: 'order', domain: 'bakery.example' }, admin);
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
    [2, 0, 1],
  ]) {
    const anonId = `visitor-${randomUUID()}`;
    let visitorId = '';
    for (const n of order) {
      const { at, ...fields } = events[n]!;
      const sent = makeEvent({ anonId, propertyId: 'order', timestamp: Date.now() - at, ...fields });
      ({ visitorId } = (await post(sent)).body);
    }
    assert.deepEqual(
      (await sessionsOf(visitorId)).map(({ source }) => source),
      ['email', 'email', 'email'],
      String(order),
    );
  }
});

test('a late first event gives the session its device and country', async () => {
  const anonId = `visitor-${randomUUID()}`;
  const sent = (ago: number, deviceType: string, countryCode?: string) =>
    post(makeEvent({ anonId, timestamp: Date.now() - ago, traffic: { deviceType, countryCode } }));
  await sent(minutes(5), 'desktop');
  const { body } = await sent(minutes(10), 'tablet', 'CA');
  const [session] = await sessionsOf(body.visitorId);
  assert.deepEqual([session.device_type, session.country], ['tablet', 'CA']);
});

test('a late first event gives a lead its source, also when it comes after the capture', async () => {
  const anonId = `visitor-${randomUUID()}`;
  const { body } = await capture({ email: 'late@example.com', anonId });
  await post(
    makeEvent({
      anonId,
      path: '/late',
      utm: { source: 'news', medium: 'email' },
      timestamp: Date.now() - minutes(10),
    }),
  );
  const [lead] = await rows('select * from leads where first_visitor_id = $1', [body.visitorId]);
  assert.deepEqual([lead.first_source, lead.first_path, lead.first_utm.source], ['email', '/late', 'news']);
});
