// Forgetting on time: a sealed day stands, a dry run changes nothing, what is young stays.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PEPPER } from '../../../test/cluster.ts';
import { ago, hours } from '../../../test/make.ts';
import { partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

let server: TestServer;
let siteId: string;
// older than raw events are kept; a day more or less, when midnight comes while this runs, changes nothing
const OLD = addDays(dayOf(Date.now()), -100);

before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await partitions(server.database.owner, addDays(OLD, -1), addDays(OLD, 2));
  await record(server.database.app, siteId, [
    { id: '1', visitor: 'ada', at: `${OLD}T10:00:00.000Z`, path: '/' },
    { id: '2', visitor: 'ada', at: `${OLD}T23:50:00.000Z`, path: '/bread' },
    { id: '3', visitor: 'ada', at: `${addDays(OLD, 1)}T00:10:00.000Z`, path: '/cake' },
    { id: '4', visitor: 'bob', at: `${addDays(OLD, 1)}T10:00:00.000Z`, path: '/' },
    { id: '5', visitor: 'ada', at: ago(hours(20)), path: '/' },
  ]);
});
after(() => server.end());

const job = async (name: string, options: Record<string, unknown> = {}) => {
  const { status, body } = await call(`${server.url}/v1/admin/jobs/${name}`, 'POST', options, admin);
  assert.equal(status, 200, JSON.stringify(body));
  return body.run.result;
};
const summary = async () => {
  const { body } = await call(
    `${server.url}/v1/metrics/summary?from=${OLD}&to=${addDays(OLD, 1)}`,
    'GET',
    undefined,
    admin,
  );
  return body;
};
const rowCount = async (table: string) =>
  (await server.database.owner.query(`select count(*) as count from ${table}`)).rows[0].count;

test('nothing is purged when the clock says that a month has passed since anything ran here', async () => {
  const { owner } = server.database;
  await owner.query(
    "insert into job_runs (job, scheduled_for, trigger, state, started_at, finished_at) values ('backup', now() - interval '40 days', 'schedule', 'succeeded', now() - interval '40 days', now() - interval '40 days')",
  );
  const done = await job('purge');
  assert.match(done.warnings[0], /clock/);
  const { rows } = await owner.query(
    "select state, error from job_runs where job = 'purge' order by started_at desc limit 1",
  );
  assert.equal(rows[0].state, 'incomplete');
  assert.match(rows[0].error, /clock/);
  assert.equal(await rowCount('events'), 5);
  await job('purge', { dryRun: true });
  // a day later
  await owner.query("update job_runs set started_at = now() - interval '13 hours' where job = 'backup'");
});

test('a dry run tells what would go and changes nothing', async () => {
  await job('rollup');
  const told = await job('purge', { dryRun: true });
  assert.equal(told.dryRun, true);
  assert.ok(told.partitions.length >= 3);
  assert.deepEqual(
    { sessions: told.rows.sessions, event_keys: told.rows.event_keys, visitors: told.rows.visitors },
    { sessions: 3, event_keys: 4, visitors: 1 },
  );
  assert.equal(await rowCount('events'), 5);
  assert.equal(await rowCount('event_keys'), 5);
});

test('a run and its dry run name the job of every table that a job ends, and every table that has no end: none is left out', async () => {
  const tables = tablesOf(FEATURES);
  const { jobs: known } = (await call(`${server.url}/v1/admin/jobs`, 'GET', undefined, admin)).body;
  const dry = await job('purge', { dryRun: true });
  const { jobs, never } = dry.elsewhere as { jobs: Record<string, string[]>; never: string[] };
  for (const name of Object.keys(jobs))
    assert.ok(
      known.some((one: { job: string }) => one.job === name),
      `${name} is a job`,
    );
  const ends = (table: string) =>
    [tables[table]!.kept].flat().some((kept) => 'for' in kept || 'with' in kept) || never.includes(table);
  const byJob = Object.values(jobs).flat();
  assert.deepEqual(
    Object.keys(tables).filter((table) => !byJob.includes(table) && !ends(table)),
    [],
  );
  for (const table of ['day_salts', 'recent_bodies', 'job_runs', 'account_mails', 'visitor_profiles'])
    assert.ok(byJob.includes(table), table);
  assert.ok(never.includes('ad_spend') && !never.includes('consent_texts'));
});

test('after the purge raw rows are gone, the sealed days stand, and nothing replaces them with less', async () => {
  const before = await summary();
  assert.equal(before.metrics.uniqueVisitors.value, 2);
  assert.equal(before.metrics.sessions.value, 3);
  await job('purge');
  assert.equal(await rowCount('events'), 1);
  assert.equal(await rowCount('sessions'), 1);
  assert.equal(await rowCount('visitors'), 1); // ada was here yesterday
  const rolled = await job('rollup', { from: OLD, to: addDays(OLD, 1) });
  assert.deepEqual({ days: rolled.days, sealed: rolled.sealed }, { days: 0, sealed: 2 });
  const now = await summary();
  assert.deepEqual(now.metrics, before.metrics);
  assert.equal(now.quality.sealedDays, 2);
  const again = await job('purge');
  assert.deepEqual([again.sealed, again.partitions], [0, []]);
});

test('a window longer than raw events are kept says how its visitors were counted', async () => {
  const { body } = await call(
    `${server.url}/v1/metrics/summary?from=${OLD}&to=${dayOf(Date.now())}`,
    'GET',
    undefined,
    admin,
  );
  assert.equal(body.quality.uniquesMethod, 'exact_but_absences_over_90_days');
  // ada is known to have been there, so no one who came after the first 90 days could be counted twice
  assert.equal(body.quality.uniquesErrorMax, 0);
  // ada's days are 99 apart, but her return was counted while the older day was still known
  assert.equal(body.metrics.uniqueVisitors.value, 2);
});

test("an admin's verdict takes a visitor out of the numbers, and can be taken back", async () => {
  const today = dayOf(Date.now());
  const yesterday = addDays(today, -1);
  const visitors = async () =>
    (await call(`${server.url}/v1/metrics/summary?from=${yesterday}&to=${today}`, 'GET', undefined, admin))
      .body.metrics.uniqueVisitors.value;
  await job('rollup');
  assert.equal(await visitors(), 1);
  const door = `${server.url}/v1/admin/bots`;
  const anonId = 'ada'.padEnd(8, '!');
  assert.equal((await call(door, 'POST', { anonId, bot: true })).status, 401);
  const { visitor_id } = (await server.database.owner.query('select visitor_id from visitors')).rows[0];
  const told = await call(door, 'POST', { visitorId: visitor_id, bot: true }, admin);
  assert.equal(told.body.events, 1);
  await job('rollup');
  assert.equal(await visitors(), 0);
  await call(door, 'POST', { visitorId: visitor_id, bot: false }, admin);
  await job('rollup');
  assert.equal(await visitors(), 1);
  const { body } = await call(door, 'GET', undefined, admin);
  assert.deepEqual(
    body.verdicts.map((each: { botReason: string | null }) => each.botReason),
    [null, 'admin'],
  );
});

test('a newcomer of whom nobody can know is told as the error of such a window', async () => {
  await record(server.database.app, siteId, [{ id: '6', visitor: 'zoe', at: ago(hours(20)), path: '/' }]);
  await job('rollup');
  const { quality, metrics } = (
    await call(
      `${server.url}/v1/metrics/summary?from=${OLD}&to=${dayOf(Date.now())}`,
      'GET',
      undefined,
      admin,
    )
  ).body;
  // zoe could be one of the first days who stayed away for longer than raw events were kept; and ada, whose day was
  // taken out and put back when her earlier ones were purged already, is one
  assert.deepEqual([metrics.uniqueVisitors.value, quality.uniquesErrorMax], [4, 2 / 4]);
});

test('hundreds of one-event visitors from one address with one browser are bots; an office is not', async () => {
  const at = ago(hours(1)); // once: a crowd of two days would be two small ones
  const crowd = (name: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      id: `${name} ${n}`,
      visitor: `${name} ${n}`,
      at,
      path: '/',
      ip_hash: `\\x${Buffer.from(name.padEnd(32, '.')).toString('hex')}`,
      ua_hash: `\\x${Buffer.from('agent'.padEnd(32, '.')).toString('hex')}`,
    }));
  await record(server.database.app, siteId, [...crowd('script', 220), ...crowd('office', 60)], 200);
  const found = await job('bots');
  assert.deepEqual(found, { visitors: 220, events: 220 });
  assert.deepEqual(await job('bots'), { visitors: 0, events: 0 });
});

test('what strangers made up ends: a wording that no proof shows, a signup of nobody', async () => {
  const { owner } = server.database;
  await owner.query(
    `insert into consent_texts (site_id, name, version, words, words_hash, origin, created_at)
     select $1, name, 1, name, sha256(convert_to(name, 'UTF8')), origin, now() - make_interval(days => age)
     from (values ('orphan', 'form', 31), ('young', 'form', 1), ('published', 'admin', 400), ('shown', 'form', 400)) t (name, origin, age)`,
    [siteId],
  );
  await owner.query(
    `insert into consent_details (site_id, record_id, lead_id, salt, email_normalized, text_id)
     select site_id, gen_random_uuid(), gen_random_uuid(), '\\x00', 'someone', text_id from consent_texts where name = 'shown'`,
  );
  await owner.query(
    `insert into conversions (site_id, conversion_id, kind, origin, visitor_id, occurred_at)
     select $1, 'signup ' || age || origin, 'signup', origin, gen_random_uuid(), now() - make_interval(days => age)
     from (values (200, 'browser'), (20, 'browser'), (200, 'server')) t (age, origin)`,
    [siteId],
  );
  await job('purge');
  const names = async (sql: string) => (await owner.query(sql)).rows.map(({ name }) => name);
  assert.deepEqual(await names('select name from consent_texts order by name'), [
    'published',
    'shown',
    'young',
  ]);
  assert.deepEqual(
    await names("select conversion_id as name from conversions where kind = 'signup' order by 1"),
    ['signup 200server', 'signup 20browser'],
  );
});

test('the same from the command line, under the same lock', async () => {
  const run = promisify(execFile);
  const cli = fileURLToPath(new URL('../../cli.ts', import.meta.url));
  const env = { ...process.env, DATABASE_URL: server.database.ownerUrl, IP_HASH_PEPPER: PEPPER };
  const { stdout } = await run(process.execPath, [cli, 'rollups', 'backfill', '--from', OLD, '--to', OLD], {
    env,
  });
  assert.deepEqual(JSON.parse(stdout), { days: 0, sealed: 1 });
  const dry = await run(process.execPath, [cli, 'retention', 'purge', '--dry-run'], { env });
  assert.equal(JSON.parse(dry.stdout).dryRun, true);
  const ledger = await run(process.execPath, [cli, 'jobs', 'ledger'], { env });
  assert.equal(JSON.parse(ledger.stdout).imbalances, 0);
  const listed = await run(process.execPath, [cli, 'jobs'], { env });
  assert.deepEqual(
    listed.stdout.split('\n').flatMap((line) => line.split(' ')[0] || []),
    server.services.runner.jobs.map(({ name }) => name),
  );
  const status = await run(process.execPath, [cli, 'rollups', 'status'], { env });
  assert.equal(JSON.parse(status.stdout).site, 'default');
  await assert.rejects(
    run(process.execPath, [cli, 'rollups', 'backfill', '--from', '2026-02-30', '--to', OLD], { env }),
  );
});
