// Numbers read from a real hot standby: equal to the primary's, never older than what was told, and the primary's own where the
// standby is behind, away or none any more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makePool, type Pool } from '../../src/ground/db/pool.ts';
import { openStandby, positionOf, type StandbyPatience } from '../../src/ground/db/standby.ts';
import { StandbyFault } from '../../src/ground/db/standby-connect.ts';
import { inSites } from '../../src/ground/db/transaction.ts';
import { addDays, dayOf } from '../../src/ground/lib/days.ts';
import { makeLog } from '../../src/ground/lib/log.ts';
import { startCluster } from '../cluster.ts';
import { makeDatabase, makeTemplate, type TestDatabase } from '../database.ts';
import { killPostgres, pause } from '../kill.ts';
import { record } from '../record.ts';
import { admin, call, startServer, type TestServer } from '../server.ts';
import { startStandby } from './standby.ts';

const log = makeLog('silent');
const LONG = { METRICS_SUMMARY_CACHE_TTL_MS: '3600000' };
const PATIENT = { timeout: 120_000 };
const TODAY = dayOf(Date.now());

let cluster: Awaited<ReturnType<typeof startCluster>>;
let standby: Awaited<ReturnType<typeof startStandby>>;
let database: TestDatabase;
let reader: TestServer;
let writer: TestServer;
let siteId: string;
before(async () => {
  cluster = await startCluster();
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  database = await makeDatabase();
  standby = await startStandby(cluster);
  writer = await startServer(LONG, database);
  reader = await startServer({ ...LONG, METRICS_DATABASE_URL: urlOf() }, database);
  siteId = writer.services.sites.fallback().siteId;
  await record(
    database.app,
    siteId,
    Array.from({ length: 30 }, (_, n) => ({
      id: `first-${n}`,
      visitor: `visitor-${n % 7}`,
      at: new Date(Date.now() - n * 40_000).toISOString(),
      path: `/page-${n % 4}`,
    })),
  );
  await post('leads/capture', {
    email: 'ada@example.com',
    anonId: 'ada-browser',
    consentStatus: 'pending',
    source: 'google',
  });
  await post('conversions', { id: '1', kind: 'signup', email: 'ada@example.com' });
  await post('admin/jobs/rollup', {});
});
after(async () => {
  await reader.stop();
  await writer.stop();
  await database.drop();
  await standby.remove();
  await cluster.remove();
});

/** The standby without a role. */
const urlOf = () => `postgres://127.0.0.1:${standby.port}${new URL(database.ownerUrl).pathname}`;

async function post(path: string, body: unknown) {
  const answer = await call(`${writer.url}/v1/${path}`, 'POST', body, admin);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
}
async function ask(server: TestServer, path: string) {
  const answer = await call(`${server.url}/v1/${path}`, 'GET', undefined, admin);
  assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
  return { body: answer.body, hit: answer.headers.get('server-timing')!.includes('desc=hit') };
}
const SUMMARY = `metrics/summary?from=${TODAY}&to=${addDays(TODAY, 1)}`;
const spent = async () => {
  const { body, hit } = await ask(reader, SUMMARY);
  return { amount: body.totals.spendByCurrency.CAD as number | undefined, hit };
};
const told = () => reader.services.numbers.told();
/** In the other process; resolves when the one that reads was told. */
async function spend(amount: number) {
  const before = reader.services.metrics.generation(siteId);
  await post('ad-spend', { rows: [{ day: TODAY, source: 'google', amount, currency: 'CAD' }] });
  while (reader.services.metrics.generation(siteId) === before) await pause(2);
}
async function comesTo(state: string) {
  while (told().state !== state) await pause(20);
}
/** How many readings each of the two answered meanwhile. */
async function answered(work: () => Promise<unknown>) {
  const before = { ...told().readings };
  await work();
  const { standby: byStandby, primary } = told().readings;
  return { standby: byStandby - before.standby, primary: primary - before.primary };
}

/** Resolves once the standby has replayed all that was told, and is asked. */
async function standbyIsThere() {
  while ((await answered(() => ask(reader, 'metrics/realtime'))).standby === 0) await pause(10);
}

test('every report is read from the standby, and equals the primary’s', PATIENT, async () => {
  const window = `from=${addDays(TODAY, -3)}&to=${addDays(TODAY, 1)}`;
  const reports = [
    `summary?${window}&compareTo=1`,
    `timeseries?${window}`,
    `breakdown?${window}&by=pages`,
    `breakdown?${window}&by=sources`,
    `cohorts?${window}`,
    `attribution?${window}`,
    `attribution?${window}&of=signup`,
    `quality?${window}`,
    `leads?${window}`,
    `page?${window}&vs=previous`,
  ].map((report) => `metrics/${report}`);
  reports.push(`sites/${siteId}/analytics?start=${addDays(TODAY, -3)}&end=${addDays(TODAY, 1)}`);
  await standbyIsThere();
  const count = await answered(async () => {
    for (const report of reports)
      assert.deepEqual((await ask(reader, report)).body, (await ask(writer, report)).body, report);
    assert.equal((await ask(reader, 'metrics/realtime')).body.pageViews, 30);
  });
  assert.deepEqual(count, { standby: reports.length + 1, primary: 0 });
  const { rows } = await database.owner.query(
    "select count(*)::int as here from pg_stat_activity where application_name like 'marketing-numbers%'",
  );
  assert.equal(rows[0].here, 0, 'no connection for numbers leads to the primary');
  const { body } = await call(`${reader.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.equal(body.standby.state, 'serving');
  const plain = await call(`${writer.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.equal(plain.body.standby.state, 'off');
});

test(
  'row level security holds on the standby: no site is seen but the transaction’s own',
  PATIENT,
  async () => {
    const url = new URL(database.appUrl);
    url.port = String(standby.port);
    const there = makePool(url.href, { name: 'looking', connectionsMax: 1, statementTimeoutMs: 9000, log });
    const count = async (db: Pick<Pool, 'query'>) =>
      (await db.query('select count(*)::int as count from daily_metric_rollups')).rows[0].count as number;
    assert.equal(await count(there), 0);
    assert.ok((await inSites(there, siteId, count)) > 0);
    assert.equal(await inSites(there, '00000000-0000-4000-8000-000000000000', count), 0);
    await there.end();
  },
);

test(
  'what was told is in the next answer, whoever is quicker, the notice or the replay',
  PATIENT,
  async () => {
    for (let n = 1; n <= 25; n += 1) {
      await spend(n);
      assert.equal((await spent()).amount, n);
    }
    const at = new Date().toISOString();
    await record(database.app, siteId, [{ id: 'late', visitor: 'somebody-new', at }]);
    const before = reader.services.metrics.generation(siteId);
    const { metrics } = (await ask(reader, SUMMARY)).body;
    await post('admin/jobs/rollup', {});
    while (reader.services.metrics.generation(siteId) === before) await pause(2);
    const { metrics: now } = (await ask(reader, SUMMARY)).body;
    assert.equal(now.uniqueVisitors.value, metrics.uniqueVisitors.value + 1);
    await standbyIsThere();
  },
);

test(
  'while its replay is paused the primary answers what the standby has not seen, and nothing old is kept',
  PATIENT,
  async () => {
    await spend(100);
    assert.equal((await spent()).amount, 100);
    await standby.ask('select pg_wal_replay_pause()');
    await spend(101);
    const paused = await answered(async () => {
      assert.deepEqual(await spent(), { amount: 101, hit: false });
      while (!(await spent()).hit) await pause(2);
      assert.equal((await spent()).amount, 101);
    });
    assert.equal(paused.standby, 0);
    assert.ok(paused.primary > 0);
    await standby.ask('select pg_wal_replay_resume()');
    assert.equal((await spent()).amount, 101);
    await standbyIsThere();
    await spend(102);
    await standbyIsThere();
    const after = await answered(async () => assert.deepEqual(await spent(), { amount: 102, hit: false }));
    assert.deepEqual(after, { standby: 1, primary: 0 });
  },
);

async function open(patience: Partial<StandbyPatience>, url = urlOf()) {
  return openStandby({ url, servingUrl: database.appUrl, primary: database.app, log, patience });
}

test('one that is further behind than is allowed is not asked until it has caught up', PATIENT, async () => {
  const one = await open({ lookEveryMs: 20, lagMsMax: 100, waitMs: 20 });
  while (one.state() !== 'serving') await pause(5);
  await standby.ask('select pg_wal_replay_pause()');
  while (one.state() !== 'behind') {
    await database.owner.query('select pg_logical_emit_message(true, $1, $2)', [
      'test',
      'something is written',
    ]);
    await pause(5);
  }
  await standby.ask('select pg_wal_replay_resume()');
  while (one.state() !== 'serving') await pause(5);
  const position = await positionOf(database.app);
  while ((await one.read(siteId, position, async () => 'read').catch(() => '')) !== 'read') await pause(5);
  await one.close();
});

test('what the setting cannot mean is said in a sentence at the start', PATIENT, async () => {
  await database.owner.query("create role reads_nothing login password 'secret'");
  await database.owner.query("create role reads_all login bypassrls password 'secret'");
  const asRole = (role: string, password: string, port = standby.port) => {
    const url = new URL(urlOf());
    Object.assign(url, { username: role, password, port: String(port) });
    return url.href;
  };
  const faults: [string, RegExp][] = [
    [
      asRole('reads_nothing', 'secret'),
      /reads_nothing may not read .*: on the primary, grant marketing_app to reads_nothing/,
    ],
    [asRole('reads_all', 'secret'), /reads_all has BYPASSRLS/],
    [asRole('postgres', 'test'), /postgres is a superuser/],
    [asRole('reads_nothing', 'another'), /does not let reads_nothing in .*Name no role there/],
    [urlOf().replace(/[^/]+$/, 'nowhere'), /"nowhere" does not exist/],
    [urlOf().replace(/[^/]+$/, 'template_marketing'), /names the database template_marketing, not test_/],
  ];
  // the roles have to be there first
  const sees = await open({});
  const position = await positionOf(database.app);
  while (!(await sees.read(siteId, position, async () => true).catch(() => false))) await pause(5);
  await sees.close();
  for (const [url, sentence] of faults)
    await assert.rejects(open({ startMs: 1 }, url), (error: Error) => {
      assert.ok(error instanceof StandbyFault, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  await database.owner.query('grant marketing_app to reads_nothing');
  const granted = await open({ startMs: 60_000 }, asRole('reads_nothing', 'secret'));
  await granted.close();
  const other = await startCluster();
  await makeTemplate(other.url());
  const elsewhere = new URL(database.appUrl);
  Object.assign(elsewhere, { port: String(other.port), pathname: '/template_marketing' });
  await assert.rejects(open({ startMs: 1 }, elsewhere.href), /no standby of the server of DATABASE_URL/);
  await other.remove();
});

test(
  'when it is killed the primary goes on answering, and it serves again when it is back',
  PATIENT,
  async () => {
    await spend(200);
    await killPostgres(standby);
    const away = await answered(async () => {
      for (const more of ['', '&compareTo=1', '&format=csv'])
        assert.equal((await call(`${reader.url}/v1/${SUMMARY}${more}`, 'GET', undefined, admin)).status, 200);
      assert.equal((await spent()).amount, 200);
    });
    assert.equal(away.standby, 0);
    await comesTo('away');
    const { body } = await call(`${reader.url}/v1/admin/status`, 'GET', undefined, admin);
    assert.equal(body.standby.state, 'away');
    const meanwhile = await startServer({ METRICS_DATABASE_URL: urlOf() }, database);
    assert.equal((await ask(meanwhile, SUMMARY)).body.totals.spendByCurrency.CAD, 200);
    assert.equal(meanwhile.services.numbers.told().state, 'away');
    await meanwhile.stop();
    await standby.start();
    await comesTo('serving');
    await spend(201);
    assert.equal((await spent()).amount, 201);
  },
);

test(
  'when it is promoted the primary answers, for its own changes are not the primary’s',
  PATIENT,
  async () => {
    await standby.ask('select pg_promote()');
    await spend(300);
    assert.equal((await spent()).amount, 300);
    await comesTo('promoted');
    await spend(301);
    assert.equal((await spent()).amount, 301);
  },
);
