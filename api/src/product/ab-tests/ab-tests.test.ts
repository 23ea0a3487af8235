// A/B tests by HTTP: made, started, and counted by what browsers send; what pages are told of them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  ask,
  browsersOf,
  exposed,
  judgeAll,
  makeNotification,
  makeTest,
  post,
  results,
  rows,
  server,
  testOf,
  useTests,
  wanted,
} from '../../../test/ab-tests.ts';
import { until } from '../../../test/chromium.ts';
import { anon, makeEvent } from '../../../test/make.ts';
import { admin, call } from '../../../test/server.ts';

useTests();

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
