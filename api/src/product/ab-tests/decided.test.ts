// A/B tests that are judged and end: by harm, by a winner, by time, by their owner; and who is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  browsersOf,
  exposed,
  fill,
  judgeAll,
  makeTest,
  notedOf,
  post,
  results,
  server,
  siteId,
  splitsNow,
  statusOf,
  testOf,
  useTests,
} from '../../../test/ab-tests.ts';
import { anon, makeEvent } from '../../../test/make.ts';
import { admin, call } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { judgeTest, judgeTests } from './judge-tests.ts';
import { pace } from './pace.ts';

useTests();

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
