// Plans: what a site may use, warned of and then refused; never leads, consent or erasure; and nothing without one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { address, makeEvent } from '../../../test/make.ts';
import { newOwner, signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
const siteIds: Record<string, string> = {};
before(async () => {
  server = await startServer();
  for (const key of ['bakery', 'mill', 'oven']) {
    const { body } = await ask('POST /v1/sites', { key });
    siteIds[key] = body.site.siteId;
  }
});
after(() => server.end());

const ask = (at: string, body?: unknown, headers: Record<string, string> = admin) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(server.url + path, method, body, headers);
};
const give = (site: string, planId: string, more = {}) =>
  ask(`POST /v1/sites/${site}/subscription`, { plan: planId, ...more });
const subscription = async (site: string) =>
  (await ask(`GET /v1/sites/${site}/subscription`)).body.subscription;
const send = (propertyId: string, headers = {}) => ask('POST /v1/events', makeEvent({ propertyId }), headers);
const count = () => ask('POST /v1/admin/jobs/plan_usage', {});
async function ledger(site: string): Promise<Record<string, number>> {
  await server.services.ledger.flush();
  const { rows } = await server.database.owner.query(
    `select outcome || ' ' || reason as what, sum(count)::int as count from ingest_ledger where site_id = $1 group by 1`,
    [siteIds[site]],
  );
  return Object.fromEntries(rows.map((row) => [row.what, row.count]));
}

test('a site without a plan has none of its limits, and its month is not counted', async () => {
  await send('oven');
  await count();
  const { plan, status, usage, months, since } = await subscription('oven');
  assert.equal(plan.planId, 'unlimited');
  assert.ok(Object.values(plan.limits).every((limit) => limit === null));
  assert.deepEqual([status, usage.events, months, since], ['active', 1, [], null]);
  const { rows } = await server.database.owner.query('select from usage_months');
  assert.equal(rows.length, 0);
  assert.equal((await ask('GET /v1/plans')).body.plans[0].planId, 'unlimited');
  assert.equal((await ask('PATCH /v1/plans/unlimited', { name: 'No more' })).status, 409);
});

test('a site is warned of at 80 and 100 percent, and its events are refused over 120, but nobody’s lead', async () => {
  await ask('POST /v1/plans', { planId: 'ten', name: 'Ten', limits: { events: 10 } });
  assert.equal((await give('bakery', 'ten')).status, 200);
  const at = async (events: number) => {
    for (let sent = (await subscription('bakery')).usage.events; sent < events; sent += 1)
      assert.equal((await send('bakery')).status, 202);
    await count();
    const { status } = await subscription('bakery');
    const { near, reached, stopped } = (await server.services.status()).plans as unknown as Record<
      string,
      number
    >;
    return [status, near, reached, stopped];
  };
  assert.deepEqual(await at(7), ['active', 0, 0, 0]);
  assert.deepEqual(await at(8), ['near', 1, 0, 0]);
  assert.deepEqual(await at(10), ['reached', 0, 1, 0]);
  assert.deepEqual(await at(12), ['reached', 0, 1, 0]);
  assert.deepEqual(await at(13), ['stopped', 0, 0, 1]);

  const refused = await send('bakery');
  assert.deepEqual([refused.status, refused.body.error], [402, 'plan_limit_reached']);
  const batch = await ask('POST /v1/events', {
    events: [makeEvent({ propertyId: 'bakery' }), makeEvent({ propertyId: 'mill' })],
  });
  assert.deepEqual(
    [batch.status, batch.body.results[0].error, 'eventId' in batch.body.results[1]],
    [202, 'plan_limit_reached', true],
  );
  assert.equal((await ask('GET /v1/pixel.gif?propertyId=bakery&path=/')).status, 402);
  assert.equal((await ledger('bakery'))['rejected plan_limit'], 3);

  const email = address();
  assert.equal((await ask('POST /v1/leads/capture', { email, propertyId: 'bakery' }, {})).status, 200);
  const bye = { email, propertyId: 'bakery' };
  assert.equal((await ask('POST /v1/leads/unsubscribe', bye, {})).status, 200);
  assert.equal((await ask('POST /v1/leads/delete', bye)).body.deleted, true);

  await ask('POST /v1/plans', { planId: 'hundred', name: 'Hundred', limits: { events: 100 } });
  assert.equal((await give('bakery', 'hundred')).body.subscription.status, 'active');
  assert.equal((await send('bakery')).status, 202);
});

test('a plan smaller than what is in use is neither given nor made so small, and says what is too much', async () => {
  for (let n = 0; n < 3; n += 1) await send('mill');
  await ask('POST /v1/plans', { planId: 'two', name: 'Two', limits: { events: 2, seats: 0 } });
  const given = await give('mill', 'two');
  assert.deepEqual([given.status, given.body.error], [409, 'conflict']);
  assert.match(JSON.stringify(given.body.issues), /"limits\.events","message":"\d+ in use, 2 in the plan"/);
  assert.equal((await give('mill', 'hundred')).status, 200);
  const shrunk = await ask(
    'PATCH /v1/plans/hundred',
    { limits: { events: 2 } },
    { ...admin, 'if-match': '"1"' },
  );
  assert.equal(shrunk.status, 409);
  assert.match(JSON.stringify(shrunk.body.issues), /mill: \d+ in use, 2 in the plan/);
  assert.equal(
    (await ask('GET /v1/plans')).body.plans.find(({ planId }: { planId: string }) => planId === 'hundred')
      .limits.events,
    100,
  );
  assert.equal((await give('mill', 'nowhere')).status, 404);
  assert.equal((await ask('POST /v1/plans', { planId: 'two', name: 'Again', limits: {} })).status, 409);
});

test('who changes a plan names the version they saw, and of two who saw the same one only the first changes it', async () => {
  const made = await ask('POST /v1/plans', { planId: 'shared', name: 'Shared', limits: { seats: 5 } });
  assert.equal(made.body.plan.version, 1);
  const change = (name: string, version?: number) =>
    ask(
      'PATCH /v1/plans/shared',
      { name },
      { ...admin, ...(version === undefined ? {} : { 'if-match': `"${version}"` }) },
    );
  const unsaid = await change('Nobody’s');
  assert.deepEqual([unsaid.status, unsaid.body.error], [412, 'precondition_failed']);
  assert.match(unsaid.body.message, /If-Match: "1"/);
  const both = await Promise.all([change('One', 1), change('Other', 1)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
  const { plans } = (await ask('GET /v1/plans')).body;
  const { name, version, limits } = plans.find(({ planId }: { planId: string }) => planId === 'shared');
  const first = both.find(({ status }) => status === 200)!.body.plan;
  assert.deepEqual([name, version, limits.seats], [first.name, 2, 5]);
  assert.equal((await change('Third', 2)).body.plan.version, 3);
  assert.equal((await ask('PATCH /v1/plans/nowhere', { name: 'x' })).status, 404);
});

test('of 80 and of 100 percent other systems are told once a month, and once more of a larger plan', async () => {
  const siteId = siteIds.mill!;
  await server.services.outbox.listenADay(siteId);
  const told = async () =>
    (await server.services.outbox.read(siteId, 0, 1000))
      .filter(({ type }) => type === 'plan.warning')
      .map(({ data: { planId, what, percent, used, limit } }) => [planId, what, percent, used, limit]);
  await give('mill', 'unlimited');
  const { events } = (await subscription('mill')).usage;
  const eight = (events + 1) * 10;
  await ask('POST /v1/plans', { planId: 'tight', name: 'Tight', limits: { events: eight } });
  await give('mill', 'tight');
  assert.deepEqual(await told(), []);
  const upTo = async (total: number) => {
    const many = Array.from({ length: total }, () => makeEvent({ propertyId: 'mill' }));
    for (let at = (await subscription('mill')).usage.events; at < total; at += 50)
      await ask('POST /v1/events', { events: many.slice(at, Math.min(at + 50, total)) });
    await Promise.all([count(), count()]); // one of them may be refused: two at once tell no more
    await count();
  };
  await upTo(eight * 0.8 - 1);
  assert.deepEqual(await told(), []);
  await upTo(eight * 0.8);
  await count();
  assert.deepEqual(await told(), [['tight', 'events', 80, eight * 0.8, eight]]);
  await upTo(eight);
  assert.deepEqual((await told()).slice(1), [['tight', 'events', 100, eight, eight]]);

  await ask('POST /v1/plans', { planId: 'wider', name: 'Wider', limits: { events: eight + 1 } });
  await give('mill', 'wider');
  assert.deepEqual((await told()).slice(2), [['wider', 'events', 80, eight, eight + 1]]);
  await give('mill', 'tight');
  await give('mill', 'wider');
  await count();
  assert.equal((await told()).length, 3, 'nothing twice');
  await give('mill', 'unlimited');
});

test('cards that people were shown count as impressions, are warned of, and no card is refused for it', async () => {
  await server.services.outbox.listenADay(siteIds.mill!);
  const { body } = await ask('POST /v1/sites/mill/notifications', {
    kind: 'message',
    name: 'By hand',
    source: { url: 'https://mill.example/about', statedOn: '2026-01-31' },
    texts: { en: { other: 'The mill grinds by hand' } },
  });
  const props = { notificationId: body.notification.notificationId, variantId: 'a' };
  const show = (anonId: string, headers = {}) =>
    ask(
      'POST /v1/events',
      makeEvent({ propertyId: 'mill', anonId, eventType: 'proof_shown', props }),
      headers,
    );
  await ask('POST /v1/plans', { planId: 'cards', name: 'Cards', limits: { impressions: 5 } });
  await give('mill', 'cards');
  const counted = async () => {
    assert.equal((await ask('POST /v1/admin/jobs/seen_rollups', {})).status, 200);
    await count();
    const { usage, status } = await subscription('mill');
    return [usage.impressions, status];
  };
  const told = async () =>
    (await server.services.outbox.read(siteIds.mill!, 0, 1000))
      .filter(({ data }) => data.what === 'impressions')
      .map(({ data }) => data.percent);
  for (let n = 0; n < 3; n += 1) await show(`reader-${n}-of-mill`);
  await show('robot-of-mill', { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' });
  await ask(
    'POST /v1/events',
    makeEvent({ propertyId: 'mill', anonId: 'reader-0-of-mill', eventType: 'proof_clicked', props }),
  );
  assert.deepEqual(await counted(), [3, 'active']);
  await show('reader-3-of-mill');
  assert.deepEqual([await counted(), await told()], [[4, 'near'], [80]]);
  const status = (await server.services.status()).plans as unknown as Record<string, number>;
  assert.equal(status.near, 1);
  for (let n = 4; n < 9; n += 1) assert.equal((await show(`reader-${n}-of-mill`)).status, 202);
  assert.deepEqual(
    [await counted(), await told()],
    [
      [9, 'reached'],
      [80, 100],
    ],
  );
  assert.equal((await give('mill', 'unlimited')).status, 200);
});

test('a test more than the plan has is made, and not started', async () => {
  await ask('POST /v1/plans', { planId: 'trial', name: 'Trial', limits: { tests: 1 } });
  await give('mill', 'trial');
  const make = async () => {
    const { body } = await ask('POST /v1/sites/mill/notifications', {
      kind: 'count',
      name: 'Bought',
      claim: { of: 'purchases', days: 30, minimum: 5 },
      texts: { en: { one: '{count} bought in {days} days', other: '{count} bought in {days} days' } },
    });
    const test = await ask('POST /v1/sites/mill/ab-tests', {
      notificationId: body.notification.notificationId,
      variants: [{ key: 'plain' }],
      goal: { of: 'purchases' },
    });
    assert.equal(test.status, 201, JSON.stringify(test.body));
    return test.body.test.testId as string;
  };
  const ids = [await make(), await make(), await make()];
  const start = (testId: string) => ask(`POST /v1/sites/mill/ab-tests/${testId}/start`, {});
  const answers = await Promise.all(ids.map(start));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 402, 402]);
  assert.equal(answers.find(({ status }) => status === 402)!.body.error, 'plan_limit_reached');
  assert.equal((await subscription('mill')).usage.tests, 1);
  const runs = answers.find(({ status }) => status === 200)!.body.test.testId;
  assert.equal((await ask(`POST /v1/sites/mill/ab-tests/${runs}/stop`, {})).status, 200);
  assert.equal((await subscription('mill')).usage.tests, 0);
  assert.equal((await start(ids.find((testId) => testId !== runs)!)).status, 200);
  await give('mill', 'unlimited');
});

test('what a month came to is counted to its end, also when nobody counted in its last minutes', async () => {
  await give('oven', 'hundred');
  const { owner } = server.database;
  const { rows: days } = await owner.query<{ isEarly: boolean }>(
    'select extract(day from now() at time zone \'UTC\') <= 2 as "isEarly"',
  );
  await owner.query(
    `insert into usage_months (site_id, month, events)
     values ($1, date_trunc('month', now() at time zone 'UTC' - interval '1 month')::date, 1)`,
    [siteIds.oven],
  );
  await owner.query(
    `insert into ingest_ledger (site_id, day, outcome, count)
     values ($1, date_trunc('month', now() at time zone 'UTC')::date - 1, 'accepted', 7)`,
    [siteIds.oven],
  );
  await count();
  const [before] = (await subscription('oven')).months;
  assert.equal(before.events, days[0]!.isEarly ? 7 : 1, 'after two days it stays as it was');
  await give('oven', 'unlimited');
});

test('a notification more than the plan has is made, and not started', async () => {
  await ask('POST /v1/plans', { planId: 'one', name: 'One', limits: { notifications: 1 } });
  await give('mill', 'one');
  const start = async () => {
    const { body } = await ask('POST /v1/sites/mill/notifications', {
      kind: 'message',
      name: 'Since when',
      source: { url: 'https://mill.example/about', statedOn: '2026-01-31' },
      texts: { en: { other: 'The mill grinds by hand' } },
    });
    const { notificationId, version } = body.notification;
    const path = `PATCH /v1/sites/mill/notifications/${notificationId}`;
    return ask(path, { status: 'running' }, { ...admin, 'if-match': `"${version}"` });
  };
  assert.equal((await start()).status, 200);
  assert.deepEqual((await start()).body.error, 'plan_limit_reached');
  assert.equal((await subscription('mill')).usage.notifications, 1);
  await give('mill', 'unlimited');
});

test('a webhook more than the plan has is not made', async () => {
  await ask('POST /v1/plans', { planId: 'hook', name: 'Hook', limits: { webhooks: 1 } });
  await give('mill', 'hook');
  const make = () =>
    ask('POST /v1/sites/mill/webhooks', { url: 'https://mill.example/told', types: ['lead.captured'] });
  assert.equal((await make()).status, 201);
  assert.deepEqual((await make()).body.error, 'plan_limit_reached');
  assert.equal((await subscription('mill')).usage.webhooks, 1);
  await give('mill', 'unlimited');
  assert.equal((await make()).status, 201);
});

test('a seat more than the plan has is refused, also when two are asked for at once', async () => {
  await ask('POST /v1/plans', { planId: 'pair', name: 'Pair', limits: { seats: 2 } });
  await give('oven', 'pair', { billingUrl: 'https://bills.example/oven' });
  const invite = () => ask('POST /v1/invitations', { role: 'admin', sites: ['oven'] });
  const answers = await Promise.all([invite(), invite(), invite(), invite()]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 402, 402]);
  const { usage, billingUrl } = await subscription('oven');
  assert.deepEqual([usage.seats, billingUrl], [2, 'https://bills.example/oven']);
  // an owner takes none, and who comes by an invitation takes the one it was
  assert.equal((await ask('POST /v1/invitations', { role: 'owner' })).status, 201);
  const token = answers
    .find(({ status }) => status === 201)!
    .body.link.split('/')
    .at(-1);
  const boss = signedIn(await signUpWith(server, token, 'boss@oven.example', 'rye, oats and an oven'));
  assert.equal((await subscription('oven')).usage.seats, 2);

  const look = await ask('GET /v1/sites/oven/subscription', undefined, boss.headers);
  assert.equal(look.body.subscription.plan.planId, 'pair');
  const more = await ask('POST /v1/sites/oven/subscription', { plan: 'unlimited' }, boss.headers);
  assert.deepEqual([more.status, more.body.error], [403, 'forbidden']);
  const owner = await newOwner(server, 'owner@oven.example', 'rye, oats and a mill');
  const ended = await ask('POST /v1/sites/oven/subscription', { plan: 'unlimited' }, owner.headers);
  assert.deepEqual([ended.status, ended.body.subscription.since], [200, null]);
  assert.equal((await invite()).status, 201);
});
