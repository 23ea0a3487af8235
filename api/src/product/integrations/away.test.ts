// A shop that tells of an order is never sent away because the database is: what came meanwhile is on disk, and counts once.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { startCluster } from '../../../test/cluster.ts';
import { makeTemplate } from '../../../test/database.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { journalReading } from '../captures/readings.ts';

const PATIENCE_MS = 60_000;

let cluster: Awaited<ReturnType<typeof startCluster>>;
let server: TestServer;
/** On the same database, and nobody ever told it anything. */
let other: TestServer;
before(async () => {
  cluster = await startCluster();
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  server = await startServer();
  other = await startServer({}, server.database);
});
after(async () => {
  await other.stop();
  await server.end();
  await cluster.remove();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const integrations = () => `${server.url}/v1/sites/default/integrations`;
async function shop(secret = 'hush'): Promise<string> {
  const { body, status } = await call(integrations(), 'POST', { kind: 'shopify', secret }, admin);
  assert.equal(status, 201, JSON.stringify(body));
  return body.integration.integrationId;
}
async function tell(
  id: string,
  topic: string,
  body: object,
  { secret = 'hush', event = randomUUID() as string, at = server } = {},
): Promise<string> {
  const text = JSON.stringify(body);
  const headers = {
    'x-shopify-topic': topic,
    'x-shopify-webhook-id': event,
    'x-shopify-hmac-sha256': createHmac('sha256', secret).update(text).digest('base64'),
  };
  const answer = await call(`${at.url}/v1/in/${id}`, 'POST', text, headers);
  return answer.status === 200 ? answer.body.received : `${answer.status} ${answer.body.error}`;
}
const gid = (n: number) => `gid://shopify/Order/${n}`;
const order = (n: number, email: string, more: object = {}) => ({
  admin_graphql_api_id: gid(n),
  email,
  total_price: '9.90',
  currency: 'CAD',
  created_at: '2026-01-31T12:00:00-05:00',
  billing_address: { first_name: 'Nobody', address1: '1 Nowhere Lane', country_code: 'CA' },
  line_items: [{ title: 'sourdough' }, { title: 'rye' }],
  ...more,
});
const capture = async (email: string) => {
  const { status } = await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: anon(),
    path: '/shop',
    propertyId: 'default',
  });
  assert.equal(status, 200);
};
const leads = async (email: string) => (await rows('select from leads where email = $1', [email])).length;
const told = (n: number) =>
  rows(
    "select lead_id is not null as is_leads, voided_at is not null as is_void, items, country, instant_text(occurred_at) as at from conversions where conversion_id = 'shopify:' || $1",
    [gid(n)],
  );
const journalOf = ({ folder }: TestServer) => {
  const inside = join(folder, 'journal');
  return readdirSync(inside)
    .filter((name) => /^\d+-/.test(name))
    .map((name) => readFileSync(join(inside, name), 'utf8'))
    .join('');
};
const playedBack = (one: TestServer) =>
  until(
    'the journal is played back',
    async () => {
      await one.services.leads.replay().catch(() => {});
      return one.services.leads.journal.isEmpty;
    },
    PATIENCE_MS,
  );

test('PostgreSQL is stopped under orders: each is answered, and counts once when it is back', async () => {
  const id = await shop();
  const [ada, bea] = [address(), address()];
  await capture(ada);
  await capture(bea);
  assert.equal(await tell(id, 'orders/paid', order(1, ada)), 'stored');
  const unused = await shop('another');
  // the other process hears of them by itself, some time, or is asked
  await until(
    'the other process knows it',
    async () => (await tell(id, 'shop/update', {}, { at: other })) === 'ignored',
    PATIENCE_MS,
  );

  await cluster.stop();
  const thrice = randomUUID();
  for (let i = 0; i < 3; i += 1)
    assert.equal(await tell(id, 'orders/paid', order(2, ada), { event: thrice }), 'kept');
  assert.equal(await tell(id, 'orders/paid', order(3, ada), { at: other }), 'kept', 'by whichever process');
  assert.equal(await tell(unused, 'orders/paid', order(4, ada), { secret: 'another' }), 'kept');
  assert.equal(await tell(id, 'orders/cancelled', order(1, ada)), 'kept');
  assert.equal(await tell(id, 'orders/paid', order(5, bea)), 'kept');
  assert.equal(await tell(id, 'customers/redact', { customer: { email: bea } }), 'kept');
  // judged as ever
  assert.equal(await tell(id, 'orders/paid', order(6, ada), { secret: 'guess' }), '401 invalid_signature');
  assert.equal(await tell(id, 'orders/paid', order(6, ada, { test: true })), 'ignored');
  assert.equal(await tell(id, 'shop/update', {}), 'ignored');
  assert.equal(await tell(randomUUID(), 'orders/paid', order(6, ada)), '503 unavailable', 'nobody can say');
  const onDisk = journalOf(server);
  assert.match(onDisk, /"delivery"/);
  assert.doesNotMatch(onDisk, /Nowhere|Nobody|hush|another/, 'only what is stored of an order');

  await cluster.start();
  await playedBack(server);
  await playedBack(other);
  const usual = { is_leads: true, is_void: false, items: ['sourdough', 'rye'], country: 'CA' };
  const stored = { ...usual, at: '2026-01-31T17:00:00.000Z' };
  for (const n of [2, 3, 4]) assert.deepEqual(await told(n), [stored], `${n}`);
  assert.deepEqual(await told(1), [{ ...stored, is_void: true }], 'cancelled meanwhile');
  assert.deepEqual([await told(5), await told(6)], [[], []], 'forgotten, and refused');
  assert.deepEqual([await leads(ada), await leads(bea)], [1, 0]);
  assert.equal(await tell(id, 'orders/paid', order(2, ada), { event: thrice }), 'duplicate');
  const { failed, waitingSince } = await journalReading.read({ leads: server.services.leads });
  assert.deepEqual([failed, waitingSince], [0, null]);
});

test('what waits in the journal while its person is erased is never stored', async () => {
  const id = await shop();
  const cem = address();
  await capture(cem);
  await cluster.stop();
  assert.equal(await tell(id, 'orders/paid', order(11, cem)), 'kept');
  const waiting = journalOf(server);
  assert.ok(waiting.includes(cem));
  await cluster.start();
  await playedBack(server);
  assert.equal((await told(11)).length, 1);
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email: cem }, admin);
  assert.equal(erased.status, 200, JSON.stringify(erased.body));
  // as if it had waited for longer than that
  await rows('delete from inbound_deliveries');
  const back = join(server.folder, 'journal', `${Date.now()}-${randomUUID()}.ndjson`);
  writeFileSync(back, waiting);
  await server.services.leads.journal.look();
  await playedBack(server);
  assert.deepEqual(await told(11), []);
  assert.equal(
    (await rows('select from inbound_deliveries')).length,
    1,
    'it was played, and came to nothing',
  );
});

test('an order of an integration that was ended while it waited counts all the same', async () => {
  const id = await shop();
  const dan = address();
  await capture(dan);
  await cluster.stop();
  assert.equal(await tell(id, 'orders/paid', order(21, dan)), 'kept');
  const waiting = journalOf(server);
  await cluster.start();
  await playedBack(server);
  await call(`${integrations()}/${id}`, 'DELETE', undefined, { ...admin, 'if-match': '"1"' });
  await rows("delete from conversions where conversion_id = 'shopify:' || $1", [gid(21)]);
  for (let i = 0; i < 2; i += 1) {
    writeFileSync(join(server.folder, 'journal', `${Date.now()}-${randomUUID()}.ndjson`), waiting);
    await server.services.leads.journal.look();
    await playedBack(server);
    assert.equal((await told(21)).length, 1);
  }
  assert.equal(await tell(id, 'orders/paid', order(22, dan)), '404 not_found');
});

test('one that can never be stored is set aside, told and alarmed, and an erasure takes it out', async () => {
  const id = await shop();
  const eve = address();
  const { journal } = server.services.leads;
  await journal.append({
    kind: 'delivery',
    body: {
      site_id: server.services.sites.fallback().siteId,
      integration_id: id,
      delivery_key: '\\xabcd',
      received_at: new Date().toISOString(),
      email_normalized: eve,
      does: { what: 'conversion', told: { id: 'odd', kind: 'no kind of ours' } },
    },
  });
  await playedBack(server);
  const failed = async () => (await journalReading.read({ leads: server.services.leads })).failed;
  assert.equal(await failed(), 1);
  const [rule] = journalReading.rules!;
  const value = await journalReading.read({ leads: server.services.leads });
  assert.match(rule!.check(value, {})!.message, /orders of a shop/);
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email: eve }, admin);
  assert.deepEqual([erased.status, erased.body.erased.journal], [200, 1]);
  assert.equal(await failed(), 0);
});

test('a database that stands still keeps no shop waiting: it is answered, and stored once', async () => {
  const id = await shop();
  const fay = address();
  await capture(fay);
  const { owner } = server.database;
  const holder = await owner.connect();
  try {
    // whoever writes about this address waits
    await holder.query('begin');
    await holder.query("select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 7))", [
      server.services.sites.fallback().siteId,
      fay,
    ]);
    assert.equal(await tell(id, 'orders/paid', order(31, fay)), 'kept');
    await holder.query('commit');
  } finally {
    holder.release();
  }
  await playedBack(server);
  assert.equal((await told(31)).length, 1);
});
