// Everything behind a pooler in transaction mode, also an old one that knows no prepared statements: limits hold, jobs run
// alone, and nobody believes in notices that never come.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { FUNCTIONS } from '../../src/features.ts';
import { migrate, migrationFiles } from '../../src/ground/db/migrate.ts';
import { makePool } from '../../src/ground/db/pool.ts';
import { askForPooler, isPooledUrl } from '../../src/ground/db/pooler.ts';
import { transaction } from '../../src/ground/db/transaction.ts';
import { addDays, dayOf } from '../../src/ground/lib/days.ts';
import { makeLog } from '../../src/ground/lib/log.ts';
import { makeDatabase, type TestDatabase } from '../database.ts';
import { address, anon, makeEvent } from '../make.ts';
import { admin, call, startServer, type TestServer } from '../server.ts';
import { type Pgbouncer, startPgbouncer, withoutPgbouncer } from './pgbouncer.ts';

const log = makeLog('silent');
const FORGETS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'options'];
const options = { skip: withoutPgbouncer, timeout: 120_000 };

let database: TestDatabase;
let pooler: Pgbouncer;
let one: TestServer;
let other: TestServer;
before(async () => {
  if (withoutPgbouncer) return;
  database = await makeDatabase();
  pooler = await startPgbouncer([database.ownerUrl, database.appUrl]);
  const settings = { DATABASE_URL: pooler.through(database.ownerUrl) };
  one = await startServer(settings, database);
  other = await startServer(settings, database);
});
after(async () => {
  if (withoutPgbouncer) return;
  await other.stop();
  await one.stop();
  await pooler.stop();
  await database.drop();
});

test(
  'a pooler is recognised, whether it refuses the limits of a session or forgets them',
  options,
  async () => {
    const forgetting = await startPgbouncer([database.appUrl], FORGETS);
    assert.equal(isPooledUrl(await askForPooler(database.appUrl)), false);
    for (const each of [pooler, forgetting])
      assert.equal(isPooledUrl(await askForPooler(each.through(database.appUrl))), true);
    await forgetting.stop();
  },
);

test(
  'each pool has its own limits, alone and in transactions, whoever had the session before',
  options,
  async () => {
    const url = await askForPooler(pooler.through(database.appUrl));
    const pools = [4000, 7000].map((statementTimeoutMs) =>
      makePool(url, { name: `of-${statementTimeoutMs}`, connectionsMax: 2, statementTimeoutMs, log }),
    );
    const sql =
      "select current_setting('statement_timeout') || current_setting('TimeZone') || current_setting('jit') as told";
    const told = await Promise.all(
      Array.from({ length: 10 }).flatMap(() =>
        pools.flatMap((pool) => [
          pool.query({ name: 'told', text: sql }),
          transaction(pool, (client) => client.query({ name: 'told', text: sql })),
        ]),
      ),
    );
    assert.deepEqual(
      told.map(({ rows }) => rows[0].told),
      Array.from({ length: 10 }).flatMap(() => ['4sUTCoff', '4sUTCoff', '7sUTCoff', '7sUTCoff']),
    );
    await assert.rejects(pools[0]!.query('select pg_sleep(60)'), { code: '57014' });
    for (const pool of pools) await pool.end();
  },
);

test('two processes that migrate at once through it make one whole schema', options, async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const direct = new pg.Client(database.ownerUrl);
  await direct.connect();
  await direct.query(`create database ${name}`);
  const url = new URL(pooler.through(database.ownerUrl));
  url.pathname = `/${name}`;
  const done = await Promise.all([migrate(url.href, FUNCTIONS, log), migrate(url.href, FUNCTIONS, log)]);
  assert.deepEqual(done.flat().sort(), migrationFiles());
  await direct.query(`drop database ${name} with (force)`);
  await direct.end();
});

test('what people and their pages do works, and numbers come of it', options, async () => {
  const email = address();
  const anonId = anon();
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await call(`${one.url}/v1/${path}`, method, body, admin);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  // with the day after it, so that midnight may come in between
  const today = dayOf(Date.now());
  const summary = `metrics/summary?from=${today}&to=${addDays(today, 1)}`;
  const event = makeEvent({ anonId });
  await ask('POST', 'events', event);
  await ask('POST', 'events', event);
  const consent = { consentStatus: 'express', consent: { text: 'Write to me.' } };
  await ask('POST', 'leads/capture', { email, anonId, ...consent });
  await ask('POST', 'admin/jobs/rollup', {});
  assert.equal((await ask('GET', summary)).totals.leads, 1);
  assert.equal((await ask('GET', 'leads')).leads.length, 1);
  assert.match(await ask('GET', 'leads/export.csv'), new RegExp(email));
  await ask('POST', 'leads/unsubscribe', { email });
  await ask('POST', 'leads/delete', { email });
  await ask('POST', 'admin/jobs/rollup', {});
  assert.equal((await ask('GET', summary)).totals.leads, 0);
  assert.equal((await ask('POST', 'admin/jobs/ledger', {})).run.result.imbalances, 0);
});

test(
  'notices that never come are not waited for: nothing is kept, and the status says so',
  options,
  async () => {
    await one.services.presence.beat();
    await one.services.presence.beat();
    assert.equal(one.services.presence.hears(), false);
    const status = await call(`${one.url}/v1/admin/status`, 'GET', undefined, admin);
    assert.deepEqual(status.body.processes, { serving: 2, hearing: false });
  },
);

test(
  'forty pairs of rollups beside traffic: never two at once, and no lock is left behind',
  options,
  async () => {
    let sends = true;
    const traffic = (async () => {
      while (sends)
        assert.equal(
          (await call(`${other.url}/v1/events`, 'POST', makeEvent({ anonId: anon() }))).status,
          202,
        );
    })();
    let done = 0;
    for (let n = 0; n < 40; n += 1)
      for (const outcome of await Promise.allSettled(
        [one, other].map(({ services }) => services.runner.runNow('rollup')),
      ))
        if (outcome.status === 'fulfilled') done += 1;
        else assert.equal(outcome.reason.code, 'conflict');
    sends = false;
    await traffic;
    assert.ok(done >= 40);
    const { rows } = await database.owner.query(
      `select (select count(*)::int from job_runs a join job_runs b using (job)
         where a.run_id < b.run_id and a.started_at < b.finished_at and b.started_at < a.finished_at) as beside,
       (select count(*)::int from leases where name like 'job %') as leases,
       (select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks`,
    );
    assert.deepEqual(rows[0], { beside: 0, leases: 0, locks: 0 });
  },
);
