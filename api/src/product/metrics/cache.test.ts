// Kept answers end when the numbers change, whichever process changed them; and nothing is kept by a process that can't hear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

let one: TestServer;
let other: TestServer;
// asked for with the day after it, so that midnight may come in between
const TODAY = dayOf(Date.now());
// an hour: whatever ends here was not ended by its age
const LONG = { METRICS_SUMMARY_CACHE_TTL_MS: '3600000' };
before(async () => {
  one = await startServer(LONG);
  other = await startServer(LONG, one.database);
  await record(one.database.app, one.services.sites.fallback().siteId, [
    { id: 'first', visitor: 'ada', at: new Date().toISOString() },
  ]);
  await post(other, 'admin/jobs/rollup', {});
  await post(other, 'leads/capture', {
    email: 'ada@example.com',
    anonId: 'ada-browser',
    consentStatus: 'pending',
  });
});
after(async () => {
  await other.stop();
  await one.end();
});

async function post(server: TestServer, path: string, body: unknown) {
  const answer = await call(`${server.url}/v1/${path}`, 'POST', body, admin);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}
const ask = async (server: TestServer, more = '') => {
  const { headers, body } = await call(
    `${server.url}/v1/metrics/summary?from=${TODAY}&to=${addDays(TODAY, 1)}${more}`,
    'GET',
    undefined,
    admin,
  );
  return { hit: headers.get('server-timing')!.includes('desc=hit'), body };
};
/** Asks until the answer is that, as a dashboard would; the test's own patience is its limit. */
async function comesToSay(wanted: (body: Awaited<ReturnType<typeof ask>>['body']) => boolean) {
  for (;;) {
    const { body } = await ask(one);
    if (wanted(body)) return;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Asks until the answer is a kept one: a change that is heard late, or midnight, ends one that was kept already. */
async function isKept(server: TestServer, more = '') {
  while (!(await ask(server, more)).hit) await new Promise((done) => setTimeout(done, 5));
}

test('an answer is kept, and another question is not taken for it', { timeout: 60_000 }, async () => {
  await isKept(one);
  assert.equal((await ask(one, '&compareTo=1')).hit, false);
  assert.equal((await ask(one, '&format=csv')).hit, false);
});

test('spend, a conversion, a rollup and an erasure in one process end the answers kept in another', {
  timeout: 60_000,
}, async () => {
  const kept = () => isKept(one);
  await kept();
  await post(other, 'ad-spend', { rows: [{ day: TODAY, source: 'google', amount: 7, currency: 'CAD' }] });
  await comesToSay(({ totals }) => totals.spendByCurrency.CAD === 7);
  await kept();
  await post(other, 'conversions', { id: '1', kind: 'signup', email: 'ada@example.com' });
  await comesToSay(({ totals }) => totals.leadsSignedUp === 1);
  await kept();
  await record(one.database.app, one.services.sites.fallback().siteId, [
    { id: 'second', visitor: 'bob', at: new Date().toISOString() },
  ]);
  const { metrics } = (await ask(one)).body;
  await post(other, 'admin/jobs/rollup', {});
  await comesToSay(({ metrics: now }) => now.uniqueVisitors.value === metrics.uniqueVisitors.value + 2);
  await kept();
  await post(other, 'leads/delete', { email: 'ada@example.com' });
  await comesToSay(({ totals }) => totals.leads === 0);
});

test('a change of one site leaves the answers of another', { timeout: 60_000 }, async () => {
  const made = await call(`${other.url}/v1/sites`, 'POST', { key: 'cake-shop', name: 'Cakes' }, admin);
  assert.ok(made.status < 300, JSON.stringify(made.body));
  for (const server of [one, other]) await server.services.sites.reload();
  // what making it changed has been heard once its own first spend was
  await post(other, 'ad-spend', {
    propertyId: 'cake-shop',
    rows: [{ day: TODAY, source: 'google', amount: 1, currency: 'CAD' }],
  });
  while ((await ask(one, '&propertyId=cake-shop')).body.totals.spendByCurrency.CAD !== 1)
    await new Promise((done) => setTimeout(done, 5));
  await isKept(one, '&propertyId=cake-shop');
  await post(other, 'ad-spend', { rows: [{ day: TODAY, source: 'google', amount: 8, currency: 'CAD' }] });
  await comesToSay(({ totals }) => totals.spendByCurrency.CAD === 8);
  assert.equal((await ask(one, '&propertyId=cake-shop')).hit, true);
});

test('while changes cannot be heard nothing is kept; afterwards they are heard again', {
  timeout: 60_000,
}, async () => {
  await isKept(one);
  const { owner } = one.database;
  await owner.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'marketing-listen' and datname = current_database()",
  );
  while ((await ask(one)).hit) await new Promise((done) => setTimeout(done, 5));
  await post(other, 'ad-spend', { rows: [{ day: TODAY, source: 'google', amount: 9, currency: 'CAD' }] });
  await comesToSay(({ totals }) => totals.spendByCurrency.CAD === 9);
  await isKept(one);
  await post(other, 'ad-spend', { rows: [{ day: TODAY, source: 'google', amount: 10, currency: 'CAD' }] });
  await comesToSay(({ totals }) => totals.spendByCurrency.CAD === 10);
});
