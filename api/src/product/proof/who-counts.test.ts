// Who counts: of each thing a claim can speak of the same people come, a robot, the site's own people and one too late or too
// early, and the number, what was left out and the rows behind it are of the people alone.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { feedOf, newSite, running } from '../../../test/claims.ts';
import { address, ago, hours, makeEvent, minutes } from '../../../test/make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  // every test calls from 127.0.0.1, which may say for whom
  server = await startServer({ TRUSTED_PROXIES: '127.0.0.1' }, undefined, undefined, QUICK_FEEDS);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const PERSON = { 'x-real-ip': '192.0.2.7', 'user-agent': BROWSER };
const STAFF = { 'x-real-ip': '203.0.113.7', 'user-agent': BROWSER };
const ROBOT = { 'x-real-ip': '192.0.2.9', 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' };
// of a zone where it is noon now: what happens while a test runs is of one day
const NOON_IN = 12 - new Date().getUTCHours();
const OWN_PEOPLE = {
  staffAddresses: ['203.0.113.0/24'],
  timeZone: NOON_IN === 0 ? 'UTC' : `Etc/GMT${NOON_IN > 0 ? '-' : '+'}${Math.abs(NOON_IN)}`,
};
/** Its last day's last second. */
const yesterday = (): string => {
  const there = Date.now() + hours(NOON_IN);
  return new Date(there - (there % hours(24)) - hours(NOON_IN) - 1000).toISOString();
};

interface Sender {
  anonId: string;
  email: string;
  headers: Record<string, string>;
}
const sender = (headers: Record<string, string>): Sender => ({
  anonId: randomUUID(),
  email: address(),
  headers,
});
const post = async (path: string, body: object, headers: Record<string, string>) => {
  const answer = await call(server.url + path, 'POST', body, headers);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body;
};
const visit = (key: string, { anonId, headers }: Sender, fields: object = {}) =>
  post('/v1/events', makeEvent({ anonId, propertyId: key, path: '/shop', ...fields }), headers);
const form = (key: string, { anonId, email, headers }: Sender, more: Record<string, string> = {}) =>
  post('/v1/leads/capture', { email, anonId, propertyId: key, formName: 'letter' }, { ...headers, ...more });
const review = (key: string, { anonId, email, headers }: Sender) =>
  post('/v1/reviews', { email, anonId, propertyId: key, rating: 4, text: `Good ${randomUUID()}` }, headers);
/** As the shop's server tells it. */
const told = (key: string, kind: string, who: object, more: object = {}) =>
  post('/v1/conversions', { propertyId: key, id: randomUUID(), kind, ...who, ...more }, admin);
/** A robot's form is held back, until somebody lets it go. */
async function releaseAll(key: string): Promise<void> {
  const { body } = await call(`${server.url}/v1/admin/quarantine?propertyId=${key}`, 'GET', undefined, admin);
  for (const { quarantineId } of body.quarantined)
    await post(`/v1/admin/quarantine/${quarantineId}/release`, {}, admin);
}
const preview = async (key: string, id: string) =>
  (await call(`${server.url}/v1/sites/${key}/notifications/${id}/preview`, 'POST', undefined, admin)).body;
const evidenceOf = async (key: string, receipt: string) =>
  (await call(`${server.url}/v1/sites/${key}/receipts/${receipt}/evidence`, 'GET', undefined, admin)).body;

const countOf = (of: string, where: object = {}) => ({
  kind: 'count',
  name: of,
  claim: { of, where, days: 30, minimum: 3 },
  texts: { en: { other: `{count} in {days} days: ${of.replace(/\d/g, '')}` } },
});

/** Counted, shown, receipted and recounted it is four, and so many were left out. */
async function isFour(
  key: string,
  content: ReturnType<typeof countOf>,
  excluded: object | null,
): Promise<void> {
  const { kind, name, claim } = content;
  const what = `${kind} ${name} ${JSON.stringify(claim.where)}`;
  const id = await running(server, key, content);
  const seen = await preview(key, id);
  assert.deepEqual([seen.value, seen.excluded], [4, excluded], what);
  const item = (await feedOf(server, key)).items.find((one) => one.id === id);
  const [variant] = item!.variants;
  assert.match(variant!.text, /^4\+? /, what);
  const { recounted, rows: behind } = await evidenceOf(key, variant!.receipt);
  assert.equal(recounted, 4, what);
  if (excluded) assert.equal(behind.length, 4, what);
  const { receipt } = (await call(`${server.url}/v1/proof/${variant!.receipt}`)).body;
  assert.deepEqual(receipt.excluded, excluded, what);
  await call(
    `${server.url}/v1/sites/${key}/notifications/${id}`,
    'PATCH',
    { status: 'ended' },
    { ...admin, 'if-match': '"2"' },
  );
}

test('of everything a claim can speak of, people alone count, within the window alone', async () => {
  const { key, siteId } = await newSite(server, OWN_PEOPLE);
  const people = [1, 2, 3, 4].map(() => sender(PERSON));
  const [staff, hidden, robot, early] = [sender(STAFF), sender(STAFF), sender(ROBOT), sender(PERSON)];
  // at home a person like any other; the forms of this test are sent from the shop
  const owner = sender(STAFF);

  // days that are over, and one that goes on being counted
  const dayBefore = yesterday();
  for (const one of [...people, staff, robot])
    for (const eventType of ['page_view', 'tasted']) {
      await visit(key, one, { eventType, timestamp: dayBefore });
      await visit(key, one, { eventType });
    }
  await visit(key, early, { timestamp: ago(minutes(6)) });
  await visit(key, { ...owner, headers: PERSON }, { timestamp: ago(minutes(7)) });
  const none = { bots: 0, staff: 0, voided: 0 };
  const texts = { en: { other: '{count} here, {minutes} minutes' } };
  await isFour(key, { ...countOf('visitors'), kind: 'live_visitors', texts }, { ...none, bots: 1, staff: 1 });
  await post('/v1/admin/jobs/rollup', {}, admin);
  // the same happened on the day before the window
  for (const table of ['daily_metric_rollups', 'visitor_days', 'daily_breakdowns'])
    await rows(
      `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('day', day - 29))).* from ${table} t
       where site_id = $1 and day = site_day($1, $2)`,
      [siteId, dayBefore],
    );

  for (const one of [...people, staff, owner, robot, early]) await form(key, one);
  await form(key, hidden, { 'sec-gpc': '1' });
  for (const one of [...people, staff, robot]) await review(key, one);
  await releaseAll(key);
  await rows("update leads set first_captured_at = now() - interval '31 days' where email = $1", [
    early.email,
  ]);
  await rows(
    "insert into reviews (site_id, rating, source, written_at) values ($1, 5, 'old', now() - interval '31 days')",
    [siteId],
  );

  const old = { occurredAt: ago(hours(24 * 31)) };
  for (const kind of ['signup', 'activation']) {
    for (const { anonId } of [...people, staff, robot]) await told(key, kind, { anonId });
    await told(key, kind, { anonId: early.anonId }, old);
  }
  for (const { email } of [...people, staff, hidden, owner, robot]) await told(key, 'purchase', { email });
  // in the shop, by a browser that was at home before
  await told(key, 'purchase', { email: address(), anonId: owner.anonId });
  await told(key, 'purchase', { email: early.email }, old);
  await told(key, 'purchase', { email: people[0]!.email }, { voidedAt: new Date().toISOString() });

  const cases: [content: ReturnType<typeof countOf>, excluded: object | null][] = [
    [countOf('visitors'), null],
    [countOf('page_views'), null],
    [countOf('page_views', { path: '/shop' }), null],
    [countOf('event:tasted'), null],
    [countOf('leads', { form: 'letter' }), { ...none, bots: 1, staff: 3 }],
    [countOf('signups'), { ...none, bots: 1, staff: 1 }],
    [countOf('activations'), { ...none, bots: 1, staff: 1 }],
    [countOf('purchases'), { bots: 1, staff: 4, voided: 1 }],
    [countOf('reviews'), { ...none, bots: 1, staff: 1 }],
  ];
  for (const [content, excluded] of cases) await isFour(key, content, excluded);
  const { average } = (await call(`${server.url}/v1/sites/${key}/reviews`, 'GET', undefined, admin)).body;
  assert.deepEqual([average.reviews, average.excluded], [5, { bots: 1, staff: 1 }]);
});

test('an act of a robot or of the site’s own people is never told, and a verdict afterwards ends its receipt', async () => {
  const { key, siteId } = await newSite(server, OWN_PEOPLE);
  const people = [1, 2, 3, 4].map(() => sender(PERSON));
  const others = [sender(STAFF), sender(ROBOT)];
  const hidden = sender(STAFF);
  for (const one of [...people, ...others]) await form(key, one);
  await form(key, hidden, { 'sec-gpc': '1' });
  await releaseAll(key);
  for (const { email } of [...people, ...others, hidden])
    await told(key, 'purchase', { email }, { occurredAt: ago(minutes(40)) });
  await rows("update leads set first_captured_at = now() - interval '40 minutes' where site_id = $1", [
    siteId,
  ]);
  const act = (of: string) => ({
    ...countOf(of),
    kind: 'recent_activity',
    texts: { en: { other: `{name}: ${of}` } },
  });
  for (const claimed of ['leads', 'purchases']) {
    await running(server, key, act(claimed));
    const { items } = await feedOf(server, key);
    const receipts = items.flatMap(({ variants }) =>
      variants[0]!.text === `Someone: ${claimed}` ? [variants[0]!.receipt] : [],
    );
    assert.equal(receipts.length, 4, claimed);
    const before = await Promise.all(receipts.map((receipt) => evidenceOf(key, receipt)));
    assert.deepEqual(
      before.map(({ recounted }) => recounted),
      [1, 1, 1, 1],
    );
    const column = claimed === 'leads' ? 'lead_id::text' : 'conversion_id';
    const table = claimed === 'leads' ? 'leads' : 'conversions';
    const found = await rows(`select ${column} as id from ${table} where site_id = $1`, [siteId]);
    for (const { rows: behind } of before)
      assert.ok(
        found.some(({ id }) => id === behind[0]),
        claimed,
      );
  }
  const { items } = await feedOf(server, key);
  const [{ visitor_id: visitorId, lead_id: leadId }] = await rows(
    'select first_visitor_id as visitor_id, lead_id from leads where email = $1',
    [people[0]!.email],
  );
  const theirs = await rows('select receipt_id from receipt_acts where site_id = $1 and lead_id = $2', [
    siteId,
    leadId,
  ]);
  assert.equal(theirs.length, 2);
  await post('/v1/admin/bots', { propertyId: key, visitorId, bot: true, kind: 'staff' }, admin);
  for (const { receipt_id: id } of theirs) {
    const receipt = id.toString('base64url');
    assert.ok(items.some(({ variants }) => variants[0]!.receipt === receipt));
    assert.equal((await call(`${server.url}/v1/proof/${receipt}`)).status, 410);
    assert.equal((await evidenceOf(key, receipt)).recounted, 0);
  }
});

test('who was erased is in no sum of whole days: at once rounded down, and as it is once their days were counted again', async () => {
  const { key } = await newSite(server, OWN_PEOPLE);
  const people = Array.from({ length: 12 }, () => sender(PERSON));
  const timestamp = yesterday();
  for (const one of people) {
    for (const eventType of ['page_view', 'tasted', 'cta_click'])
      await visit(key, one, { eventType, timestamp });
    await form(key, one);
  }
  const rollUp = () => post('/v1/admin/jobs/rollup', {}, admin);
  await rollUp();
  const counts = ['visitors', 'page_views', 'event:tasted', 'event:cta_click'].map((of) => countOf(of));
  const ids: string[] = [];
  for (const content of [...counts, countOf('page_views', { path: '/shop' })])
    ids.push(await running(server, key, content));
  const values = async () => Promise.all(ids.map(async (id) => (await preview(key, id)).value));
  assert.deepEqual(await values(), [12, 12, 12, 12, 12]);
  const before = (await feedOf(server, key)).items.map(({ variants }) => variants[0]!.receipt);
  assert.equal(before.length, ids.length);

  await post('/v1/leads/delete', { propertyId: key, email: people[0]!.email }, admin);
  // what they can have had in them: three events then and the form of today, of which nobody knows any more which these were
  assert.deepEqual(await values(), [11, 8, 8, 8, 8]);
  await rollUp();
  // an event of ours keeps its type, so that what was theirs is still not known
  assert.deepEqual(await values(), [11, 11, 11, 8, 11]);
  for (const receipt of before) {
    const { recounted } = await evidenceOf(key, receipt);
    assert.ok(recounted < 12, 'counted again, the receipt of before says less');
  }

  // nobody speaks of what an erasure leaves in their place
  for (const content of [countOf('page_views', { path: '/(erased)' }), countOf('event:erased')])
    assert.equal((await preview(key, await running(server, key, content))).value, 0, content.name);
});
