// What visitors saw of notifications, sent to POST /v1/events like everything they do.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { anon, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { purge } from '../../ground/retention/purge.ts';
import { endMonths } from './end-months.ts';
import { rollUpNotifications } from './roll-up.ts';
import { countingTables } from './tables.ts';

let server: TestServer;
let siteId: string;
let notificationId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  notificationId = await makeNotification();
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const post = (body: unknown, headers?: Record<string, string>) =>
  call(`${server.url}/v1/events`, 'POST', body, headers);

async function makeNotification(): Promise<string> {
  const [row] = await rows(
    "insert into notifications (site_id, kind, status) values ($1, 'count', 'running') returning notification_id",
    [siteId],
  );
  return row.notification_id;
}

const seen = (kind: string, fields: Record<string, unknown> = {}, props: Record<string, unknown> = {}) =>
  makeEvent({
    eventType: `proof_${kind}`,
    props: { notificationId, variantId: 'a', ...props },
    ...fields,
  });

async function ledger(): Promise<Record<string, number>> {
  await server.services.ledger.flush();
  const counts = await rows(
    "select outcome || case when reason <> '' then ':' || reason else '' end as what, sum(count)::int as n from ingest_ledger group by 1",
  );
  return Object.fromEntries(counts.map((row) => [row.what, row.n]));
}
async function added(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await ledger();
  await work();
  const after = await ledger();
  return Object.fromEntries(
    Object.entries(after).flatMap(([what, n]) => {
      const more = n - (before[what] ?? 0);
      return more === 0 ? [] : [[what, more]];
    }),
  );
}

test('what is seen of a notification is stored with its batch, in a table of its own', async () => {
  const anonId = anon();
  const view = makeEvent({ anonId });
  const shown = seen('shown', { anonId });
  let body: { results: { visitorId: string; sessionId: string | null; eventId: string }[] };
  const more = await added(async () => {
    const answer = await post({ events: [shown, view, seen('clicked', { anonId })] });
    assert.equal(answer.status, 202);
    body = answer.body;
  });
  assert.deepEqual(more, { accepted: 3, received: 3 });
  const [first, viewed] = body!.results;
  assert.deepEqual(
    [first!.eventId, first!.sessionId, first!.visitorId],
    [shown.eventId, null, viewed!.visitorId],
  );
  assert.ok(viewed!.sessionId);
  const stored = await rows(
    'select kind, variant, bot_reason from notification_events where visitor_id = $1 order by kind desc',
    [first!.visitorId],
  );
  assert.deepEqual(stored, [
    { kind: 'shown', variant: 'a', bot_reason: null },
    { kind: 'clicked', variant: 'a', bot_reason: null },
  ]);
  assert.deepEqual(await rows('select event_type from events where visitor_id = $1', [first!.visitorId]), [
    { event_type: 'page_view' },
  ]);
});

test('it begins and extends no session, and who only saw a notification is no visitor', async () => {
  const anonId = anon();
  const { body } = await post(seen('shown', { anonId }));
  assert.equal(body.sessionId, null);
  for (const table of ['visitors', 'sessions', 'events', 'dirty_visits'])
    assert.deepEqual(
      await rows(
        `select from ${table} where ${table === 'dirty_visits' ? '$1 = any (visitor_ids)' : 'visitor_id = $1'}`,
        [body.visitorId],
      ),
      [],
    );
});

test('sent again it is a duplicate with the first one’s ids, in one batch as in two', async () => {
  const event = seen('shown', { anonId: anon() });
  const more = await added(async () => {
    const { body } = await post({ events: [event, event, event] });
    assert.deepEqual(
      body.results.map((one: { duplicate?: boolean }) => one.duplicate ?? false),
      [false, true, true],
    );
    const again = await post(event);
    assert.deepEqual(
      [again.status, again.body.duplicate, again.body.visitorId],
      [202, true, body.results[0].visitorId],
    );
  });
  assert.deepEqual(more, { accepted: 1, duplicate: 3, received: 4 });
  assert.equal(
    (await rows('select from notification_events where event_id = $1', [event.eventId])).length,
    1,
  );
});

test('an unknown notification, no notification and no id are refused with what is wrong, and counted', async () => {
  const more = await added(async () => {
    const unknown = await post(seen('shown', { anonId: anon() }, { notificationId: randomUUID() }));
    assert.deepEqual([unknown.status, unknown.body.error], [400, 'unknown_notification']);
    const none = await post(seen('shown', { anonId: anon() }, { notificationId: 'cake' }));
    assert.deepEqual([none.status, none.body.issues[0].path], [400, 'props.notificationId']);
    const { eventId: _, timestamp: __, ...nameless } = seen('shown', { anonId: anon() });
    const without = await post(nameless);
    assert.deepEqual([without.status, without.body.issues[0].path], [400, 'eventId']);
    const { body } = await post({
      events: [
        seen('shown', { anonId: anon() }),
        seen('shown', { anonId: anon() }, { notificationId: randomUUID() }),
      ],
    });
    assert.deepEqual([body.results[0].error, body.results[1].error], [undefined, 'unknown_notification']);
  });
  assert.deepEqual(more, {
    accepted: 1,
    received: 5,
    'rejected:invalid_request': 2,
    'rejected:unknown_notification': 2,
  });
});

test('another site’s notification is unknown here', async () => {
  const { body } = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'elsewhere', name: 'Elsewhere' },
    admin,
  );
  const [theirs] = await rows(
    "insert into notifications (site_id, kind, status) values ($1, 'count', 'running') returning notification_id",
    [body.site.siteId],
  );
  const answer = await post(seen('shown', { anonId: anon() }, { notificationId: theirs.notification_id }));
  assert.equal(answer.body.error, 'unknown_notification');
});

test('of one visitor, notification and kind 20 a day are counted, whether they come together or apart', async () => {
  const anonId = anon();
  const many = (n: number, kind: string) => Array.from({ length: n }, () => seen(kind, { anonId }));
  const more = await added(async () => {
    const first = await post({ events: many(15, 'shown') });
    assert.ok(first.body.results.every((one: { error?: string }) => !one.error));
    const { body } = await post({ events: [...many(10, 'shown'), ...many(2, 'hovered')] });
    assert.deepEqual(
      body.results.map((one: { error?: string }) => one.error ?? 'stored'),
      [...Array(5).fill('stored'), ...Array(5).fill('proof_cap'), 'stored', 'stored'],
    );
    const alone = await post(seen('shown', { anonId }));
    assert.deepEqual([alone.status, alone.body.error], [400, 'proof_cap']);
  });
  assert.deepEqual(more, { accepted: 22, received: 28, 'rejected:proof_cap': 6 });
});

const numbersOf = (id: string) =>
  rows(
    `select variant, exposed::int, shown::int, hovered::int, clicked::int, dismissed::int, viewers::int, clickers::int, dismissers::int
     from daily_notification_rollups where notification_id = $1 order by variant`,
    [id],
  );
const rollUp = () => rollUpNotifications({ db: server.database.app, sites: server.services.sites }, 3);

test('the numbers of a day are of people alone: no bots, no staff, and a later verdict changes them', async () => {
  const id = await makeNotification();
  const of = { notificationId: id };
  const [ada, ben] = [anon(), anon()];
  const { body } = await post({
    events: [
      makeEvent({ anonId: ben }),
      seen('exposed', { anonId: ada }, of),
      seen('shown', { anonId: ada }, of),
      seen('shown', { anonId: ada }, of),
      seen('clicked', { anonId: ada }, of),
      seen('shown', { anonId: ben }, of),
      seen('dismissed', { anonId: ben }, of),
      seen('shown', { anonId: ben }, { ...of, variantId: 'made-up' }),
      seen('shown', { anonId: anon(), traffic: { deviceType: 'bot' } }, of),
    ],
  });
  await rollUp();
  const none = { exposed: 0, hovered: 0, clicked: 0, dismissed: 0, clickers: 0, dismissers: 0 };
  const madeUp = { ...none, variant: '', shown: 1, viewers: 1 };
  const both = {
    ...none,
    variant: 'a',
    exposed: 1,
    shown: 3,
    clicked: 1,
    dismissed: 1,
    viewers: 2,
    clickers: 1,
    dismissers: 1,
  };
  assert.deepEqual(await numbersOf(id), [madeUp, both]);
  await rollUp();
  assert.deepEqual(await numbersOf(id), [madeUp, both]);
  const verdict = await call(
    `${server.url}/v1/admin/bots`,
    'POST',
    { visitorId: body.results[0].visitorId, bot: true, kind: 'staff' },
    admin,
  );
  assert.equal(verdict.status, 200, JSON.stringify(verdict.body));
  await rollUp();
  assert.deepEqual(await numbersOf(id), [{ ...both, shown: 2, dismissed: 0, viewers: 1, dismissers: 0 }]);
});

test('a forgotten browser leaves the counts as they were, and nothing that is its own', async () => {
  const anonId = anon();
  const email = `ada.${randomUUID()}@example.com`;
  const capture = await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId });
  await post({ events: [seen('shown', { anonId }), seen('clicked', { anonId })] });
  const held = await call(`${server.url}/v1/leads/export-subject`, 'POST', { email }, admin);
  assert.equal(held.body.subject.notificationEvents.length, 2);
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
  assert.equal(erased.body.erased.notification_events, 2);
  assert.deepEqual(
    await rows('select from notification_events where visitor_id = $1', [capture.body.visitorId]),
    [],
  );
});

test('months end as days of events do, and the rest of a month row by row', async () => {
  const now = Date.now();
  await rows("select make_notification_partitions((now() - interval '130 days')::date, now()::date)");
  const [old] = await rows(
    `insert into notification_events (site_id, event_id, visitor_id, notification_id, occurred_at, created_at, kind, variant)
     select $1, gen_random_uuid(), gen_random_uuid(), $2, at, at, 'shown', 'a'
     from (values (now() - interval '120 days'), (now() - interval '91 days'), (now() - interval '80 days')) as t (at)
     returning (select count(*)::int from notification_events where created_at < now() - interval '1 day') as n`,
    [siteId, notificationId],
  );
  assert.equal(old.n, 0);
  const run = (dryRun: boolean) =>
    purge(server.database.app, {
      siteIds: server.services.sites.ids(),
      tables: { notification_events: countingTables.notification_events! },
      endings: { 'notification months': endMonths(server.database.app) },
      settings: { EVENT_RETENTION_DAYS: 90 } as Parameters<typeof purge>[1]['settings'],
      dryRun,
      now,
    });
  assert.equal((await run(true)).rows.notification_events, 2);
  assert.equal((await run(false)).rows.notification_events, 2);
  const left = await rows(
    "select count(*)::int as n from notification_events where created_at < now() - interval '1 day'",
  );
  assert.equal(left[0].n, 1);
  assert.equal((await run(false)).rows.notification_events, 0);
});
