// What the customer's server tells of an address that is nobody's lead yet: kept without the address, found, forgotten.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PEPPER } from '../../../test/cluster.ts';
import { leadIdOf } from '../../../test/leads.ts';
import { address, RACES } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import type { Db } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { rememberForgotten } from '../consent/forget-journal.ts';
import { forgetAgain } from '../erasure/forget-again.ts';
import { storeConversions } from './store.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: `visitor-${randomUUID()}`, ...fields });
const tell = (email: string, kind = 'signup', fields: Record<string, unknown> = {}) =>
  call(
    `${server.url}/v1/conversions`,
    'POST',
    { id: `order-of-${email.slice(4, 16)}-${kind}`, kind, email, ...fields },
    admin,
  );
const erase = (email: string) => call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
const subject = (email: string) => call(`${server.url}/v1/leads/export-subject`, 'POST', { email }, admin);
const told = (email: string) =>
  rows('select lead_id, email_hash, kind from conversions where conversion_id like $1 order by kind', [
    `order-of-${email.slice(4, 16)}-%`,
  ]);

test('a conversion told before its person is a lead becomes the lead’s, by capture or by import', async () => {
  for (const way of ['capture', 'import']) {
    const email = address();
    const { body } = await tell(email.toUpperCase());
    assert.equal(body.matched, false);
    const [before] = await told(email.toUpperCase());
    assert.equal(before.lead_id, null);
    assert.equal(before.email_hash.length, 32);
    const everything = await rows('select t::text as line from conversions t');
    assert.ok(!everything.some(({ line }) => line.toLowerCase().includes(email)), 'not the address itself');
    assert.equal((await subject(email)).body.subject.conversions.length, 1);
    if (way === 'capture') await capture(email);
    else await call(`${server.url}/v1/leads/import`, 'POST', { csv: `email\n${email}` }, admin);
    const [after] = await told(email.toUpperCase());
    const [{ lead_id: leadId }] = await rows('select lead_id from leads where email_normalized = $1', [
      email,
    ]);
    assert.deepEqual([after.lead_id, after.email_hash], [leadId, null]);
    const { body: shown } = await call(`${server.url}/v1/leads/${leadId}`, 'GET', undefined, admin);
    assert.deepEqual(
      shown.conversions.map(({ kind }: { kind: string }) => kind),
      ['signup'],
    );
  }
});

test('a purchase told while a submission waits in quarantine is implied consent once it is released; an earlier one is not', async () => {
  const [since, earlier] = [address(), address()];
  await tell(earlier, 'purchase', { occurredAt: new Date(Date.now() - 86_400_000).toISOString() });
  await capture(since, { payload: { message: '<a href="x">' } });
  await tell(since, 'purchase');
  const { body } = await call(`${server.url}/v1/admin/quarantine`, 'GET', undefined, admin);
  const { quarantineId } = body.quarantined.find((one: { email: string }) => one.email === since);
  await call(`${server.url}/v1/admin/quarantine/${quarantineId}/release`, 'POST', undefined, admin);
  await capture(earlier);
  const statusOf = async (email: string) =>
    (await rows('select consent_status as status from leads where email_normalized = $1', [email]))[0].status;
  assert.deepEqual([await statusOf(since), await statusOf(earlier)], ['implied', 'pending']);
});

test('an erasure finds conversions of an address that was never a lead, also after a restore', async () => {
  const [now, restored] = [address(), address()];
  await tell(now);
  const answer = await erase(now);
  assert.deepEqual([answer.status, answer.body.erased], [200, { conversions: 1 }]);
  assert.deepEqual(await told(now), []);
  assert.equal((await erase(now)).status, 404);
  assert.equal((await subject(now)).status, 404);

  await tell(restored);
  const journal = join(server.folder, 'again.ndjson');
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId: site,
    leadId: null,
    emailHash: server.services.leads.hashAddress(site, restored),
    at: new Date().toISOString(),
  });
  const since = new Date(Date.now() - 60_000).toISOString();
  assert.deepEqual(
    await forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) }),
    {
      erased: 1,
      withdrawn: 0,
      unknown: 0,
    },
  );
  assert.deepEqual(await told(restored), []);
});

test('a submission in quarantine is forgotten again after a restore', async () => {
  const email = address();
  await capture(email, { payload: { message: '<a href="x">' } });
  const journal = join(server.folder, 'quarantine.ndjson');
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId: site,
    leadId: null,
    emailHash: server.services.leads.hashAddress(site, email),
    at: new Date().toISOString(),
  });
  const since = new Date(Date.now() - 60_000).toISOString();
  assert.equal(
    (await forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) }))
      .erased,
    1,
  );
  assert.deepEqual(await rows('select from quarantine where email_normalized = $1', [email]), []);
});

test(`told while the address is being captured, a conversion is the lead’s (${RACES} rounds)`, async () => {
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    await Promise.all([capture(email), tell(email)]);
    const [conversion] = await told(email);
    assert.deepEqual(
      [conversion.lead_id, conversion.email_hash],
      [await leadIdOf(server, email), null],
      `round ${round}`,
    );
  }
});

test(`told while the address is being erased, a conversion belongs to nobody who was forgotten (${RACES} rounds)`, async () => {
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    const anonId = `visitor-${randomUUID()}`;
    const { body } = await capture(email, { anonId });
    const both = round % 2 ? { email } : { email: undefined, anonId };
    await Promise.all([erase(email), tell(email, 'signup', both)]);
    const [conversion] = await told(email);
    if (conversion) assert.equal(conversion.lead_id, null, `round ${round}`);
    const visitors = await rows(
      'select from conversions c join leads l using (site_id, lead_id) where c.visitor_id = $1',
      [body.visitorId],
    );
    assert.deepEqual(visitors, []);
    await erase(email);
    if (round % 2) assert.deepEqual(await told(email), [], `round ${round}`);
  }
});

test('a fault is told with the path of its own field, in one as in many', async () => {
  const wrong = { id: 'order', kind: 'signup', email: address(), amount: '12.50' };
  for (const [body, path] of [
    [wrong, 'currency'],
    [{ ...wrong, kind: 'visit' }, 'kind'],
    [{ conversions: [wrong] }, 'conversions.0.currency'],
    [{ conversions: [] }, 'conversions'],
    [{ ...wrong, currency: 'CAD', propertyId: 'nobody' }, 'propertyId'],
  ] as const) {
    const answer = await call(`${server.url}/v1/conversions`, 'POST', body, admin);
    assert.deepEqual([answer.status, answer.body.issues[0].path], [400, path]);
  }
});

test('an id told twice is a duplicate the second time, in one request as in two; voided, it stays so', async () => {
  const email = address();
  const order = {
    id: `order-of-${email.slice(4, 16)}-x`,
    kind: 'purchase',
    email,
    amount: '12.3456',
    currency: 'CAD',
  };
  const door = `${server.url}/v1/conversions`;
  const duplicates = async (...conversions: Record<string, unknown>[]) =>
    (await call(door, 'POST', { conversions }, admin)).body.results.map(
      ({ duplicate }: { duplicate: boolean }) => duplicate,
    );
  assert.deepEqual(await duplicates(order, { ...order, id: `${order.id}2` }, order), [false, false, true]);
  assert.deepEqual(await duplicates(order), [true]);
  const voidedAt = new Date().toISOString();
  assert.deepEqual(await duplicates({ ...order, voidedAt }, { ...order, voidedAt: undefined }), [true, true]);
  const stored = await rows(
    'select amount::text, voided_at from conversions where conversion_id like $1 order by conversion_id',
    [`${order.id}%`],
  );
  assert.deepEqual(
    stored.map(({ amount, voided_at }) => [amount, voided_at?.toISOString() ?? null]),
    [
      ['12.3456', voidedAt],
      ['12.3456', null],
    ],
  );
  // the cancellation may be told first
  const early = { ...order, id: `${order.id}3` };
  assert.deepEqual(await duplicates({ ...early, voidedAt }, early), [false, true]);
  const [last] = await rows('select voided_at from conversions where conversion_id = $1', [early.id]);
  assert.equal(last.voided_at.toISOString(), voidedAt);
});

test('a refund that is told while its order is being stored takes it back', async () => {
  const { app } = server.database;
  const order = { id: `late-${randomUUID()}`, kind: 'purchase' as const, amount: '5.00', currency: 'CAD' };
  const store = (tx: Db, more: object = {}) =>
    storeConversions(tx, site, [{ ...order, ...more }], server.services.leads.hashAddress);
  let refunding: Promise<unknown> | undefined;
  await inSites(app, site, async (tx) => {
    await store(tx);
    refunding = inSites(app, site, (later) => store(later, { voidedAt: new Date().toISOString() }));
    // it waits for the order
    for (;;) {
      const [{ waiting }] = await rows(
        "select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into conversions%' and datname = current_database()",
      );
      if (waiting > 0) break;
      await pause(5);
    }
  });
  await refunding;
  const [stored] = await rows(
    'select voided_at is not null as void from conversions where conversion_id = $1',
    [order.id],
  );
  assert.equal(stored.void, true);
});
