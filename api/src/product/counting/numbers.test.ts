// The numbers of a notification in a window, against the same numbers counted here from what was sent.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, anon, hours, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { armOf, type Split } from '../ab-tests/arm.ts';
import { judge } from '../ab-tests/verdict.ts';
import { rollUpNotifications } from './roll-up.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await rows("select make_notification_partitions((now() - interval '130 days')::date, now()::date)");
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/sites/${siteId}/${path}`, method, body, { ...admin, ...headers });
const numbersOf = (id: string, start: string, end: string) =>
  ask('GET', `notifications/${id}/numbers?start=${start}&end=${end}`);
const today = () => dayOf(Date.now());

async function makeNotification(): Promise<string> {
  const { body } = await ask('POST', 'notifications', {
    kind: 'message',
    name: 'Bread',
    source: { url: 'https://bakery.example/about', statedOn: '2026-01-31' },
    texts: { en: { other: 'We bake by hand' } },
  });
  const { notificationId } = body.notification;
  await ask('PATCH', `notifications/${notificationId}`, { status: 'running' }, { 'if-match': '"1"' });
  return notificationId;
}

const seen = (notificationId: string, kind: string, fields: Record<string, unknown>) =>
  makeEvent({ eventType: `proof_${kind}`, props: { notificationId, variantId: 'a' }, ...fields });

/** As if it had arrived at noon of a day, so many days ago. */
const put = (id: string, daysAgo: number, visitorId: string, kind: string, botReason: string | null = null) =>
  rows(
    `insert into notification_events (site_id, event_id, visitor_id, notification_id, occurred_at, created_at, kind, variant, bot_reason)
     select $1, gen_random_uuid(), $2, $3, at, at, $4, 'a', $5
     from (select (now() at time zone 'UTC')::date - $6::integer + interval '12 hours') as t (at)`,
    [siteId, visitorId, id, kind, botReason, daysAgo],
  );

test('who comes on two days is one viewer; bots, staff and other notifications are in no number', async () => {
  const id = await makeNotification();
  const other = await makeNotification();
  const visitors = Array.from({ length: 6 }, () => randomUUID());
  const [staff, bot] = visitors.slice(4) as [string, string];
  await rows(
    "insert into visitors (site_id, visitor_id, bot_verdict, first_seen_at, last_seen_at) values ($1, $2, 'staff', now(), now())",
    [siteId, staff],
  );
  const acts: { day: number; visitor: string; kind: string; of: string }[] = [];
  visitors.forEach((visitor, n) => {
    for (let day = 1; day <= 3; day++)
      for (const [place, kind] of ['shown', 'shown', 'clicked', 'dismissed', 'hovered'].entries())
        if ((n * 7 + day * 5 + place * 3) % 4 < 2) acts.push({ day, visitor, kind, of: n % 3 ? id : other });
  });
  // the same on each of two days
  for (const day of [1, 2])
    for (const kind of ['shown', 'clicked']) acts.push({ day, visitor: visitors[1]!, kind, of: id });
  for (const act of acts)
    await put(act.of, act.day, act.visitor, act.kind, act.visitor === bot ? 'headless' : null);

  for (const [from, to] of [
    [3, 1],
    [2, 1],
    [2, 2],
  ] as const) {
    const mine = acts.filter(
      ({ of, day, visitor }) => of === id && day <= from && day >= to && visitor !== bot && visitor !== staff,
    );
    const distinct = (kind: string) =>
      new Set(mine.flatMap((act) => (act.kind === kind ? [act.visitor] : []))).size;
    const viewers = distinct('shown');
    assert.ok(viewers > 0);
    const { status, body } = await numbersOf(id, addDays(today(), -from), addDays(today(), -to));
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.numbers, {
      notificationId: id,
      window: { start: addDays(today(), -from), end: addDays(today(), -to) },
      impressions: mine.filter(({ kind }) => kind === 'shown').length,
      viewers,
      clickers: distinct('clicked'),
      dismissers: distinct('dismissed'),
      clickRate: distinct('clicked') / viewers,
      dismissRate: distinct('dismissed') / viewers,
      whyNoViewers: null,
      lift: null,
      why: 'no control arm',
    });
  }
});

test('what browsers send is in the numbers at once, and a verdict about a visitor takes theirs out', async () => {
  const id = await makeNotification();
  const [ada, ben] = [anon(), anon()];
  const { body } = await call(`${server.url}/v1/events`, 'POST', {
    events: [
      makeEvent({ anonId: ben }),
      seen(id, 'shown', { anonId: ada, timestamp: ago(hours(20)) }),
      seen(id, 'shown', { anonId: ada }),
      seen(id, 'clicked', { anonId: ada }),
      seen(id, 'shown', { anonId: ben }),
      seen(id, 'dismissed', { anonId: ben }),
      seen(id, 'shown', { anonId: anon(), traffic: { deviceType: 'bot' } }),
    ],
  });
  const now = async () => (await numbersOf(id, addDays(today(), -2), addDays(today(), 1))).body.numbers;
  const counted = ({ impressions, viewers, clickRate, dismissRate }: Record<string, unknown>) => [
    impressions,
    viewers,
    clickRate,
    dismissRate,
  ];
  assert.deepEqual(counted(await now()), [3, 2, 0.5, 0.5]);
  const verdict = { visitorId: body.results[0].visitorId, bot: true, kind: 'staff' };
  assert.equal((await call(`${server.url}/v1/admin/bots`, 'POST', verdict, admin)).status, 200);
  assert.deepEqual(counted(await now()), [2, 1, 1, 0]);
});

test('without a viewer there is no rate, and of days whose rows may be gone only impressions are known', async () => {
  const id = await makeNotification();
  const none = (await numbersOf(id, today(), today())).body.numbers;
  assert.deepEqual(
    [none.impressions, none.viewers, none.clickRate, none.dismissRate, none.whyNoViewers],
    [0, 0, null, null, null],
  );
  const visitor = randomUUID();
  await put(id, 60, visitor, 'shown');
  await put(id, 3, visitor, 'shown');
  await rollUpNotifications({ db: server.database.app, sites: server.services.sites }, 80);
  await rows(
    `insert into daily_notification_rollups (site_id, day, notification_id, variant, exposed, shown, hovered, clicked, dismissed, viewers, clickers, dismissers)
     values ($1, $2, $3, 'a', 9, 7, 0, 2, 1, 5, 2, 1)`,
    [siteId, addDays(today(), -200), id],
  );
  const old = (await numbersOf(id, addDays(today(), -300), today())).body.numbers;
  assert.deepEqual(
    [old.impressions, old.viewers, old.clickers, old.clickRate, old.dismissRate, old.whyNoViewers],
    [9, null, null, null, null, 'older than events are kept'],
  );
  // the first day of which every row is kept, and the one before
  const first = addDays(today(), -87);
  assert.equal((await numbersOf(id, first, today())).body.numbers.viewers, 1);
  assert.equal((await numbersOf(id, addDays(first, -1), today())).body.numbers.viewers, null);
});

test('lift is that of a test against a control arm, and of no window in which none ran', async () => {
  const id = await makeNotification();
  const made = await ask('POST', 'ab-tests', {
    notificationId: id,
    variants: [{ key: 'warm' }],
    goal: { of: 'event:order' },
  });
  const { testId } = made.body.test;
  assert.equal((await numbersOf(id, today(), today())).body.numbers.why, 'no control arm', 'a draft is none');
  assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 200);
  const halves: Split = [
    ['control', 5000],
    ['warm', 10_000],
  ];
  const inArm: Record<string, number> = { control: 0, warm: 0 };
  const events = Array.from({ length: 12 }, anon).map((anonId) => {
    inArm[armOf(testId, anonId, halves)]! += 1;
    const props = { notificationId: id, variantId: 'warm', testId };
    return makeEvent({ anonId, eventType: 'proof_exposed', props });
  });
  await call(`${server.url}/v1/events`, 'POST', { events });
  const { lift, why } = (await numbersOf(id, today(), today())).body.numbers;
  const counts = new Map(Object.entries(inArm).map(([key, exposed]) => [key, { exposed, converted: 0 }]));
  const asked = { variants: made.body.test.variants, controlShare: 0.5, minDays: 14, maxDays: 56 };
  const judged = judge(asked, counts, 0);
  assert.deepEqual([lift, why], [{ testId, verdict: judged.verdict, comparisons: judged.comparisons }, null]);
  const before = (await numbersOf(id, addDays(today(), -3), addDays(today(), -1))).body.numbers;
  assert.deepEqual([before.lift, before.why], [null, 'no control arm']);
});

test('the list has the same numbers of each notification, page by page; a window is days in order, and another site’s is unknown', async () => {
  const all = (await ask('GET', 'notifications?limit=100')).body.notifications;
  const window = `start=${addDays(today(), -6)}&end=${today()}`;
  const listed: { notificationId: string }[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const { body } = await ask('GET', `notification-numbers?${window}&limit=2${next}`);
    assert.ok(body.numbers.length <= 2);
    listed.push(...body.numbers);
    cursor = body.nextCursor;
  } while (cursor);
  assert.deepEqual(
    listed.map((one) => one.notificationId),
    all.map((one: { notificationId: string }) => one.notificationId),
  );
  for (const one of listed)
    assert.deepEqual(one, (await numbersOf(one.notificationId, addDays(today(), -6), today())).body.numbers);
  // and so have the site's analytics, with the tests that ran then
  const analytics = async (start: string, end: string) =>
    (await ask('GET', `analytics?start=${start}&end=${end}`)).body;
  const now = await analytics(addDays(today(), -6), today());
  assert.deepEqual(now.notifications, listed);
  assert.ok(now.tests.length > 0);
  for (const { testId, status, verdict, arms, comparisons } of now.tests) {
    const { test: known, ...results } = (await ask('GET', `ab-tests/${testId}/results`)).body;
    assert.deepEqual(
      [status, verdict, arms, comparisons],
      [known.status, results.verdict, results.arms, results.comparisons],
    );
  }
  assert.deepEqual((await analytics(addDays(today(), -120), addDays(today(), -110))).tests, []);
  const backwards = await numbersOf(listed[0]!.notificationId, today(), addDays(today(), -1));
  assert.deepEqual([backwards.status, backwards.body.issues?.[0].path], [400, 'end']);
  assert.equal((await numbersOf(randomUUID(), today(), today())).status, 404);
});
