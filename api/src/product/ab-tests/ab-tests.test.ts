// A/B tests by HTTP: made, started, counted by what browsers send, judged, and ended.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { anon, makeEvent } from '../../../test/make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { armOf, type Split } from './arm.ts';
import { feedTests } from './feed-tests.ts';
import { judgeTest, judgeTests } from './judge-tests.ts';
import { pace } from './pace.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer({}, undefined, undefined, QUICK_FEEDS);
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/sites/${siteId}/${path}`, method, body, { ...admin, ...headers });
const post = (events: unknown[]) => call(`${server.url}/v1/events`, 'POST', { events });

async function makeNotification() {
  const { status, body } = await ask('POST', 'notifications', {
    kind: 'count',
    name: 'Bread',
    claim: { of: 'purchases' },
    texts: { en: { other: '{count} people bought bread in {days} days' } },
  });
  assert.equal(status, 201, JSON.stringify(body));
  const { notificationId } = body.notification;
  const running = await ask(
    'PATCH',
    `notifications/${notificationId}`,
    { status: 'running' },
    { 'if-match': '"1"' },
  );
  assert.equal(running.status, 200, JSON.stringify(running.body));
  return notificationId as string;
}
const wanted = (notificationId: string, more: Record<string, unknown> = {}) => ({
  notificationId,
  variants: [{ key: 'warm', texts: { en: { other: 'Warm: {count} people in {days} days' } } }],
  goal: { of: 'event:order' },
  ...more,
});
async function makeTest(more: Record<string, unknown> = {}, start = true) {
  const notificationId = await makeNotification();
  const made = await ask('POST', 'ab-tests', wanted(notificationId, more));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { testId } = made.body.test;
  if (start) assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 200);
  return { testId: testId as string, notificationId };
}
const HALVES: Split = [
  ['control', 5000],
  ['warm', 10_000],
];
/** Browsers of an arm. */
function browsersOf(testId: string, arm: string, n: number): string[] {
  const found: string[] = [];
  while (found.length < n) {
    const id = anon();
    if (armOf(testId, id, HALVES) === arm) found.push(id);
  }
  return found;
}
const exposed = (
  { testId, notificationId }: { testId: string; notificationId: string },
  anonId: string,
  props: Record<string, unknown> = {},
) =>
  makeEvent({
    anonId,
    eventType: 'proof_exposed',
    props: { notificationId, testId, variantId: 'warm', ...props },
  });
const results = async (testId: string) => (await ask('GET', `ab-tests/${testId}/results`)).body;
const judgeAll = () => judgeTests({ db: server.database.app, sites: server.services.sites });
const testOf = async (testId: string) =>
  (await ask('GET', 'ab-tests')).body.tests.find((one: { testId: string }) => one.testId === testId);

test('it is made as a draft with its shares made whole, and refuses what makes no test', async () => {
  const notificationId = await makeNotification();
  const made = await ask('POST', 'ab-tests', wanted(notificationId));
  assert.deepEqual(
    [made.status, made.body.test.status, made.body.test.controlShare, made.body.test.variants[0].share],
    [201, 'draft', 0.5, 0.5],
  );
  for (const [more, status, path] of [
    [{ variants: [] }, 400, 'variants'],
    [{ controlShare: 0.05 }, 400, 'controlShare'],
    [{ variants: [{ key: 'control' }] }, 400, 'variants.0.key'],
    [{ variants: [{ key: 'a', share: 0.3 }] }, 400, 'variants'],
    [{ variants: [{ key: 'a' }, { key: 'a' }] }, 400, 'variants'],
    [{ goal: { of: 'page_views' } }, 400, 'goal.where.path'],
    [{ goal: { of: 'happiness' } }, 400, 'goal.of'],
    [{ minDays: 30, maxDays: 20 }, 400, 'maxDays'],
    [{ minDays: 10, maxDays: 12 }, 400, 'maxDays'],
    [{ minDays: 1, maxDays: 7 }, 201, undefined],
    [{ minDays: 10, maxDays: 14 }, 201, undefined],
    [{ variants: [{ key: 'a', templateId: randomUUID() }] }, 400, 'variants.0.templateId'],
    [
      { variants: [{ key: 'a', texts: { en: { other: '500 people in {days} days, {count}' } } }] },
      422,
      'texts.en.other',
    ],
    [{ notificationId: randomUUID() }, 404, undefined],
  ] as const) {
    const answer = await ask('POST', 'ab-tests', wanted(notificationId, more));
    assert.deepEqual([answer.status, answer.body.issues?.[0].path], [status, path], JSON.stringify(more));
  }
});

test('one runs for a notification, and while it runs nothing of it changes', async () => {
  const { testId, notificationId } = await makeTest();
  const other = await ask('POST', 'ab-tests', wanted(notificationId));
  const second = await ask('POST', `ab-tests/${other.body.test.testId}/start`);
  assert.deepEqual([second.status, second.body.error], [409, 'conflict']);
  assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 409);
  const change = (body: object, version: number) =>
    ask('PATCH', `notifications/${notificationId}`, body, { 'if-match': `"${version}"` });
  assert.equal((await change({ priority: 3 }, 2)).status, 409);
  for (const body of [
    { texts: { en: { other: '{count} in {days} days' } } },
    { claim: { of: 'purchases', days: 7 } },
    { targeting: { include: ['/shop/*'] } },
    { trigger: { afterMs: 0 } },
    { frequency: { perDay: 1 } },
    { schedule: { to: null } },
    { status: 'ended' },
  ])
    assert.equal((await change(body, 2)).status, 409, JSON.stringify(body));
  assert.equal((await change({ status: 'paused' }, 2)).status, 200);
  assert.equal((await ask('POST', `ab-tests/${testId}/stop`)).body.test.status, 'ended');
  assert.equal((await change({ priority: 3 }, 3)).status, 200);
  assert.equal((await ask('POST', `ab-tests/${other.body.test.testId}/start`)).status, 200);
});

test('what a test looks like stays while it runs, and is there as long as the test is not over', async () => {
  const makeTemplate = async () => {
    const { status, body } = await ask('POST', 'templates', { name: 'warm looks' });
    assert.equal(status, 201, JSON.stringify(body));
    return body.template.templateId as string;
  };
  const [worn, own] = [await makeTemplate(), await makeTemplate()];
  const change = (id: string, version: number) =>
    ask('PATCH', `templates/${id}`, { tokens: { radius: version } }, { 'if-match': `"${version}"` });
  const remove = (id: string, version: number) =>
    ask('DELETE', `templates/${id}`, undefined, { 'if-match': `"${version}"` });
  const notificationId = await makeNotification();
  const dressed = await ask(
    'PATCH',
    `notifications/${notificationId}`,
    { templateId: own },
    { 'if-match': '"2"' },
  );
  assert.equal(dressed.status, 200);
  const variants = [{ key: 'plain' }, { key: 'warm', templateId: worn }];
  const { body } = await ask('POST', 'ab-tests', wanted(notificationId, { variants }));
  const { testId } = body.test;
  assert.equal((await change(worn, 1)).status, 200, 'nothing is compared yet');
  assert.equal((await remove(worn, 2)).status, 409, 'the draft would be one of nothing');
  assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 200);
  for (const id of [worn, own]) {
    const version = id === worn ? 2 : 1;
    const [changed, removed] = [await change(id, version), await remove(id, version)];
    assert.deepEqual([changed.status, changed.body.error], [409, 'conflict']);
    assert.deepEqual([removed.status, removed.body.error], [409, 'conflict']);
  }
  assert.equal((await ask('POST', `ab-tests/${testId}/stop`)).status, 200);
  assert.equal((await change(own, 1)).status, 200);
  assert.equal((await remove(worn, 2)).status, 200);
});

test('a draft of a notification whose test runs is not deleted', async () => {
  const { body } = await ask('POST', 'notifications', {
    kind: 'count',
    name: 'Bread',
    claim: { of: 'purchases' },
    texts: { en: { other: '{count} people bought bread in {days} days' } },
  });
  const { notificationId } = body.notification;
  const { testId } = (await ask('POST', 'ab-tests', wanted(notificationId))).body.test;
  await ask('POST', `ab-tests/${testId}/start`);
  const remove = () => ask('DELETE', `notifications/${notificationId}`, undefined, { 'if-match': '"1"' });
  assert.equal((await remove()).status, 409);
  await ask('POST', `ab-tests/${testId}/stop`);
  assert.equal((await remove()).status, 200);
});

test('a browser enters once, in the arm that the server computes, whatever the page says', async () => {
  const one = await makeTest();
  const [inControl] = browsersOf(one.testId, 'control', 1);
  const [inWarm] = browsersOf(one.testId, 'warm', 1);
  const { body } = await post([
    exposed(one, inControl!),
    exposed(one, inControl!, { variantId: 'control' }),
    exposed(one, inWarm!),
    // no part: no id, no test, another one's, a bot
    { ...exposed(one, anon()), anonId: undefined },
    exposed(one, anon(), { testId: undefined }),
    exposed(one, anon(), { testId: randomUUID() }),
    { ...exposed(one, anon()), traffic: { deviceType: 'bot' } },
  ]);
  assert.ok(
    body.results.every((each: { error?: string }) => !each.error),
    JSON.stringify(body),
  );
  const private_ = await call(`${server.url}/v1/events`, 'POST', exposed(one, anon()), { 'sec-gpc': '1' });
  assert.equal(private_.status, 202);
  const { arms } = await results(one.testId);
  assert.deepEqual(arms, [
    { key: 'control', exposed: 1, converted: 0, rate: 0 },
    { key: 'warm', exposed: 1, converted: 0, rate: 0 },
  ]);
});

test('what was seen is stored with the arm that the server computes, of whichever kind and after a choice too', async () => {
  const one = await makeTest();
  const [inControl] = browsersOf(one.testId, 'control', 1);
  const [inWarm] = browsersOf(one.testId, 'warm', 1);
  const said = (anonId: string, kind: string, variantId: string) => ({
    ...exposed(one, anonId, { variantId }),
    eventType: `proof_${kind}`,
  });
  const stored = async () =>
    (
      await rows(
        'select kind, variant from notification_events where notification_id = $1 order by kind, variant',
        [one.notificationId],
      )
    ).map(({ kind, variant }) => `${kind} ${variant}`);
  await post([
    said(inWarm!, 'exposed', 'control'),
    said(inWarm!, 'shown', 'made-up'),
    said(inWarm!, 'clicked', 'control'),
    said(inControl!, 'exposed', 'warm'),
    // who takes part in no test: as the page says
    exposed(one, anon(), { testId: undefined }),
  ]);
  assert.deepEqual(await stored(), [
    'clicked warm',
    'exposed control',
    'exposed warm',
    'exposed warm',
    'shown warm',
  ]);
  assert.equal((await ask('POST', `ab-tests/${one.testId}/winner`, { variant: 'warm' })).status, 200);
  await post([said(inWarm!, 'dismissed', 'made-up')]);
  assert.deepEqual(
    (await stored()).filter((line) => line.startsWith('dismissed')),
    ['dismissed warm'],
  );
});

test('the first goal after the exposure converts, once; one before it or too late does not', async () => {
  const one = await makeTest();
  const [early, late, twice] = browsersOf(one.testId, 'warm', 3);
  const order = (anonId: string) => makeEvent({ anonId, eventType: 'order' });
  await post([order(early!)]);
  await post([exposed(one, early!), exposed(one, late!), exposed(one, twice!)]);
  await post([order(twice!), order(twice!), order(late!)]);
  // as if it had been shown eight days before the order
  const [{ visitor_id: lateVisitor }] = await rows(
    `select e.visitor_id from events e where e.event_type = 'order' order by e.received_at desc, e.visitor_id limit 1`,
  );
  await rows(
    "update ab_exposures set first_exposed_at = now() - interval '8 days' where test_id = $1 and visitor_id = $2",
    [one.testId, lateVisitor],
  );
  await judgeAll();
  await judgeAll();
  const { arms, history, verdict } = await results(one.testId);
  assert.deepEqual([arms[1].exposed, arms[1].converted, verdict], [3, 1, 'undecided']);
  assert.equal(history.length, 1, 'a row a day, while its verdict stays');
});

/** As if so many had been exposed and converted: straight into the table, since ten thousand browsers take minutes. */
const fill = (testId: string, counts: Record<string, [exposed: number, converted: number]>, days: number) =>
  Promise.all([
    ...Object.entries(counts).map(([arm, [n, converted]]) =>
      rows(
        `insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at, converted_at)
         select $1, $2, gen_random_uuid(), $3, now() - interval '12 days', case when i <= $5 then now() - interval '11 days' end
         from generate_series(1, $4::int) i`,
        [siteId, testId, arm, n, converted],
      ),
    ),
    rows('update ab_tests set started_at = now() - make_interval(days => $2) where test_id = $1', [
      testId,
      days,
    ]),
  ]);
const statusOf = async (notificationId: string) =>
  (await ask('GET', `notifications/${notificationId}`)).body.notification.status;
const splitsNow = () => inSites(server.database.app, siteId, (tx) => feedTests(tx, siteId));

/** What the job wrote down that it did, in order. */
const notedOf = (...targets: string[]) =>
  rows(
    "select target, details from audit_log where actor = 'machine' and action = 'job ab_tests' and outcome = 200 and target = any ($1) order by audit_id",
    [targets],
  );

test('harm ends the test and pauses the notification', async () => {
  const { testId, notificationId } = await makeTest();
  await fill(testId, { control: [500, 120], warm: [500, 40] }, 2);
  await judgeAll();
  const { status, verdict } = await testOf(testId);
  assert.deepEqual([status, verdict, await statusOf(notificationId)], ['ended', 'harmful', 'paused']);
  assert.deepEqual(await notedOf(testId, notificationId), [
    { target: testId, details: { verdict: 'harmful' } },
    { target: notificationId, details: { status: 'paused', testId, verdict: 'harmful' } },
  ]);
});

test('a look that takes long waits for its next: each test for its own, the shorter ones not for it', async () => {
  let now = 0;
  const looks = pace(() => now);
  const due = (id: string) => {
    for (now += 60_000; ; now += 60_000) if (looks.isDue(id)) return now;
  };
  looks.took('small', 100);
  looks.took('large', 4000);
  looks.took('huge', 60_000);
  assert.equal(due('small'), 60_000);
  assert.equal(due('large'), 240_000);
  assert.equal(due('huge'), 600_000, 'ten minutes at most');
  looks.took('large', 60_000);
  looks.only(['small']);
  assert.ok(looks.isDue('large'), 'one that does not run is forgotten');
  const { testId } = await makeTest();
  const work = { db: server.database.app, sites: server.services.sites };
  const own = pace(() => now);
  assert.ok((await judgeTests(work, own)).judged > 0);
  assert.deepEqual(await judgeTests(work, own), { judged: 0 });
  await ask('POST', `ab-tests/${testId}/stop`);
});

test('an automatic winner gets nine of ten, control keeps the tenth that it had, and the counts stay', async () => {
  const { testId, notificationId } = await makeTest({ winner: 'automatic' });
  await fill(testId, { control: [4000, 385], warm: [4000, 515] }, 15);
  await judgeAll();
  const { status, verdict, chosen } = await testOf(testId);
  assert.deepEqual([status, verdict, chosen], ['running', 'better', 'warm']);
  const [split] = (await splitsNow()).filter((one) => one.testId === testId);
  assert.deepEqual(split!.split, [
    { key: 'control', share: 0.1 },
    { key: 'warm', share: 0.9 },
  ]);
  await post([exposed({ testId, notificationId }, anon())]);
  const { arms, history } = await results(testId);
  assert.deepEqual([arms[0].exposed, arms[1].exposed], [4000, 4000]);
  assert.equal(history.at(-1).verdict, 'better');
  assert.deepEqual(await notedOf(testId), [
    { target: testId, details: { verdict: 'better', chosen: 'warm' } },
  ]);
});

test('once a winner is chosen the counts stay as they were, whatever anybody does afterwards', async () => {
  const one = await makeTest();
  const [early, late] = browsersOf(one.testId, 'control', 2);
  await post([exposed(one, early!), exposed(one, late!)]);
  await post([makeEvent({ anonId: early, eventType: 'order' })]);
  assert.equal((await ask('POST', `ab-tests/${one.testId}/winner`, { variant: 'warm' })).status, 200);
  const { arms } = await results(one.testId);
  assert.equal(arms[0].converted, 1);
  // the control may have seen the winner by now
  await post([makeEvent({ anonId: late, eventType: 'order' })]);
  await judgeAll();
  assert.deepEqual((await results(one.testId)).arms, arms);
});

test('what is not proven goes on in its own words, or pauses where its owner said so', async () => {
  const [on, off] = [await makeTest(), await makeTest({ stopUnproven: true })];
  for (const { testId } of [on, off]) await fill(testId, { control: [900, 90], warm: [900, 92] }, 57);
  await judgeAll();
  assert.deepEqual(
    [await testOf(on.testId), await testOf(off.testId)].map(({ status, verdict }) => [status, verdict]),
    [
      ['ended', 'inconclusive'],
      ['ended', 'inconclusive'],
    ],
  );
  assert.deepEqual(
    [await statusOf(on.notificationId), await statusOf(off.notificationId)],
    ['running', 'paused'],
  );
});

test('no test goes on past its last day: not one whose arms are of the wrong size, nor one that is better and waits for its owner', async () => {
  const invalid = { control: [600, 40], warm: [900, 60] } as Record<string, [number, number]>;
  const better = { control: [4000, 385], warm: [4000, 515] } as Record<string, [number, number]>;
  for (const [counts, verdict, more, days, status, notification] of [
    [invalid, 'invalid', {}, 55, 'running', 'running'],
    [invalid, 'invalid', {}, 57, 'ended', 'running'],
    [invalid, 'invalid', { winner: 'automatic' }, 57, 'ended', 'running'],
    [invalid, 'invalid', { stopUnproven: true }, 57, 'ended', 'paused'],
    [better, 'better', {}, 55, 'running', 'running'],
    [better, 'better', { stopUnproven: true }, 57, 'ended', 'running'],
  ] as const) {
    const one = await makeTest(more);
    await fill(one.testId, counts, days);
    await judgeAll();
    const is = await testOf(one.testId);
    const where = `${verdict} after ${days} days`;
    assert.deepEqual([is.status, is.verdict, is.chosen], [status, verdict, null], where);
    assert.equal(await statusOf(one.notificationId), notification, where);
    const version = notification === 'paused' ? 3 : 2;
    const end = () =>
      ask(
        'PATCH',
        `notifications/${one.notificationId}`,
        { status: 'ended' },
        { 'if-match': `"${version}"` },
      );
    assert.equal((await end()).status, status === 'running' ? 409 : 200, where);
    if (status === 'ended')
      assert.deepEqual(
        (await notedOf(one.testId)).map(({ details }) => details),
        [{ verdict }],
      );
    else {
      await ask('POST', `ab-tests/${one.testId}/stop`);
      assert.equal((await end()).status, 200);
    }
  }
});

test('whoever chooses a winner on the last day is told that the test is over', async () => {
  const { testId, notificationId } = await makeTest();
  await fill(testId, { control: [4000, 385], warm: [4000, 515] }, 57);
  assert.equal((await ask('POST', `ab-tests/${testId}/winner`, { variant: 'warm' })).status, 409);
  await judgeAll();
  const { status, chosen, verdict } = await testOf(testId);
  assert.deepEqual([status, chosen, verdict], ['ended', null, 'better']);
  await ask('PATCH', `notifications/${notificationId}`, { status: 'ended' }, { 'if-match': '"2"' });
});

test('its owner may choose a winner, and a test of another site is not there', async () => {
  const { testId } = await makeTest();
  assert.equal((await ask('POST', `ab-tests/${testId}/winner`, { variant: 'cold' })).status, 400);
  const { status, body } = await ask('POST', `ab-tests/${testId}/winner`, { variant: 'warm' });
  assert.deepEqual([status, body.test.chosen, body.test.verdict], [200, 'warm', 'undecided']);
  const other = await call(`${server.url}/v1/sites`, 'POST', { key: 'elsewhere', name: 'Elsewhere' }, admin);
  const there = `${server.url}/v1/sites/${other.body.site.siteId}/ab-tests`;
  assert.deepEqual((await call(there, 'GET', undefined, admin)).body.tests, []);
  for (const [method, path] of [
    ['GET', 'results'],
    ['POST', 'start'],
    ['POST', 'stop'],
  ] as const)
    assert.equal((await call(`${there}/${testId}/${path}`, method, undefined, admin)).status, 404);
});

test('the feed tells pages a test that runs, with its wordings and the control’s share', async () => {
  const made = await ask('POST', 'notifications', {
    kind: 'message',
    name: 'Oven',
    source: { url: 'https://bakery.example/about', statedOn: '2026-01-31' },
    texts: { en: { other: 'Baked by hand' } },
  });
  const { notificationId } = made.body.notification;
  await ask('PATCH', `notifications/${notificationId}`, { status: 'running' }, { 'if-match': '"1"' });
  const variants = [{ key: 'plain' }, { key: 'warm', texts: { en: { other: 'Baked by warm hands' } } }];
  const test_ = await ask('POST', 'ab-tests', wanted(notificationId, { variants }));
  const { testId } = test_.body.test;
  assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 200);
  const { body } = await call(`${server.url}/v1/feed?site=default&lang=en`, 'GET');
  const item = body.items.find((one: { id: string }) => one.id === notificationId);
  assert.deepEqual(
    item.variants.map(({ key, text }: { key: string; text: string }) => [key, text]),
    [
      ['plain', 'Baked by hand'],
      ['warm', 'Baked by warm hands'],
    ],
  );
  assert.deepEqual(
    body.tests.find((one: { testId: string }) => one.testId === testId),
    {
      testId,
      notificationId,
      split: [
        { key: 'control', share: 0.5 },
        { key: 'plain', share: 0.25 },
        { key: 'warm', share: 0.25 },
      ],
    },
  );
});

test('a wording may have a moment of its own, and pages are told it with that wording', async () => {
  // before it: a feed that was built in between would wait a minute for the next
  const conversions = Array.from({ length: 6 }, () => ({
    id: randomUUID(),
    kind: 'purchase',
    anonId: anon(),
    amount: '5.00',
    currency: 'CAD',
  }));
  assert.equal((await call(`${server.url}/v1/conversions`, 'POST', { conversions }, admin)).status, 200);
  const trigger = { afterMs: 20_000, scrollPercent: 50, exitIntent: false };
  const { testId, notificationId } = await makeTest({
    variants: [{ key: 'own' }, { key: 'late', trigger: { afterMs: 20_000, scrollPercent: 50 } }],
  });
  const { variants } = await testOf(testId);
  assert.deepEqual(
    variants.map((one: { trigger: unknown }) => one.trigger),
    [null, trigger],
  );
  await until('the feed has it', async () => {
    const { body } = await call(`${server.url}/v1/feed?site=default&lang=en`);
    const item = body.items.find((one: { id: string }) => one.id === notificationId);
    if (!item) return false;
    const own = { afterMs: 3000, scrollPercent: null, exitIntent: false };
    assert.deepEqual(item.when, own);
    assert.deepEqual(
      item.variants.map(({ key, when }: { key: string; when?: object }) => [key, when]),
      [
        ['own', undefined],
        ['late', trigger],
      ],
    );
    return true;
  });
  const wrong = await ask(
    'POST',
    'ab-tests',
    wanted(notificationId, { variants: [{ key: 'a', trigger: { afterMs: -1 } }] }),
  );
  assert.deepEqual([wrong.status, wrong.body.issues[0].path], [400, 'variants.0.trigger.afterMs']);
});

test('who listens is told once that a test is decided, in the transaction that decides it', async () => {
  const { outbox } = server.services;
  await outbox.listenADay(siteId);
  const { lastSeq } = await outbox.ends(siteId);
  const told = async (...types: string[]) =>
    (await outbox.read(siteId, lastSeq, 1000)).filter(({ type }) => types.includes(type));
  const harmful = await makeTest();
  const manual = await makeTest();
  const automatic = await makeTest({ winner: 'automatic' });
  const unproven = await makeTest({ stopUnproven: true });
  const young = await makeTest();
  const chosen = await makeTest();
  const [skewed, mended] = [await makeTest(), await makeTest()];
  const uneven = { control: [600, 40], warm: [900, 60] } as Record<string, [number, number]>;
  await fill(skewed.testId, uneven, 57);
  await fill(mended.testId, uneven, 55);
  await fill(harmful.testId, { control: [500, 120], warm: [500, 40] }, 2);
  for (const { testId } of [manual, automatic])
    await fill(testId, { control: [4000, 385], warm: [4000, 515] }, 15);
  await fill(unproven.testId, { control: [900, 90], warm: [900, 92] }, 57);
  // what is rolled back is told to nobody
  await assert.rejects(
    inSites(server.database.app, siteId, async (tx) => {
      await judgeTest(tx, siteId, harmful.testId, Date.now());
      throw new Error('rolled back');
    }),
    /rolled back/,
  );
  assert.deepEqual(await told('ab_test.decided'), []);
  for (let i = 0; i < 2; i += 1) await judgeAll();
  await ask('POST', `ab-tests/${young.testId}/stop`);
  for (const { testId } of [manual, chosen, chosen])
    assert.equal((await ask('POST', `ab-tests/${testId}/winner`, { variant: 'warm' })).status, 200);
  await judgeAll();
  const as = ({ testId, notificationId }: typeof manual, verdict: string, variant: string | null) => ({
    testId,
    notificationId,
    verdict,
    variant,
  });
  assert.deepEqual(
    (await told('ab_test.decided')).map(({ data }) => data),
    [
      as(harmful, 'harmful', null),
      as(manual, 'better', 'warm'),
      as(automatic, 'better', 'warm'),
      as(unproven, 'inconclusive', null),
      // the other one may become valid again
      as(skewed, 'invalid', null),
      as(chosen, 'undecided', 'warm'),
    ],
  );
  const paused = (await told('notification.updated')).filter(({ data }) => data.status === 'paused');
  assert.deepEqual(
    paused.map(({ data }) => data.notificationId),
    [harmful.notificationId, unproven.notificationId],
  );
});
