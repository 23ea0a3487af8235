// Jobs: once a slot, alone, made up when missed, recorded, by hand too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePool } from '../../ground/db/pool.ts';
import { type Job, makeRunner } from '../../ground/jobs/runner.ts';
import { markMinute } from '../../ground/jobs/runs.ts';
import { latestSlot } from '../../ground/jobs/slots.ts';
import { makeLog } from '../../ground/lib/log.ts';

let server: TestServer;
let database: TestDatabase;
const log = makeLog('silent');
before(async () => {
  database = await makeDatabase();
  server = await startServer({}, database);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) => (await database.owner.query(sql, values)).rows;
/** Two processes are two runners, each with its own connections. */
function process(jobs: Job[], more: { makeUpEveryMs?: number } = {}) {
  const db = makePool(database.appUrl, {
    name: 'test-runs',
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    log,
  });
  const runner = makeRunner({ db, jobs, log, ...more });
  return {
    ...runner,
    async end() {
      await runner.close();
      await db.end();
    },
  };
}
const job = (name: string, run: Job['run'], cron: string | null = '0 3 * * *'): Job => ({
  name,
  cron,
  why: 'a test',
  run,
});

test('the slot before a moment is found in UTC, whatever the pattern', () => {
  const at = new Date('2028-03-01T00:00:30.000Z');
  for (const [cron, slot] of [
    ['* * * * *', '2028-03-01T00:00:00.000Z'],
    ['*/5 * * * *', '2028-03-01T00:00:00.000Z'],
    ['10 */6 * * *', '2028-02-29T18:10:00.000Z'],
    ['15 3 * * *', '2028-02-29T03:15:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
    ['30 4 * * 0', '2028-02-27T04:30:00.000Z'],
    ['0 0 31 12 *', '2027-12-31T00:00:00.000Z'],
  ] as const)
    assert.equal(latestSlot(cron, at)?.toISOString(), slot, cron);
});

test('a slot is run once, however many processes reach for it', async () => {
  let times = 0;
  const jobs = [
    job('once', async () => {
      times += 1;
      return { times };
    }),
  ];
  const processes = [process(jobs), process(jobs), process(jobs)];
  const slot = new Date('2026-03-01T03:00:00Z');
  for (let round = 0; round < 3; round += 1)
    await Promise.all(processes.map((each) => each.runSlot('once', slot, 'schedule')));
  assert.equal(times, 1);
  assert.deepEqual(await rows("select state, result from job_runs where job = 'once'"), [
    { state: 'succeeded', result: { times: 1 } },
  ]);
  for (const each of processes) await each.end();
});

test('a job never runs beside itself: by hand that is a conflict, for the clock a slot left out', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = [
    job('slow', async () => {
      await promise;
      return {};
    }),
  ];
  const [one, other] = [process(slow), process(slow)];
  const first = one.runNow('slow');
  while ((await rows("select from job_runs where job = 'slow'")).length === 0)
    await new Promise((done) => setTimeout(done, 10));
  await assert.rejects(other.runNow('slow'), { code: 'conflict' });
  await assert.rejects(one.runNow('slow'), { code: 'conflict' });
  assert.equal(await other.runSlot('slow', new Date('2026-03-01T03:00:00Z'), 'schedule'), null);
  const stuck = await one.status(new Date(Date.now() + 20 * 60_000));
  assert.equal(stuck[0]?.stuck, true);
  resolve();
  assert.equal((await first).state, 'succeeded');
  await one.end();
  await other.end();
});

test('a missed slot is made up once; a job that never ran has missed none', async () => {
  const ran: string[] = [];
  const jobs = [
    job('nightly', async () => {
      ran.push('nightly');
      return {};
    }),
    job('newborn', async () => {
      ran.push('newborn');
      return {};
    }),
  ];
  const one = process(jobs);
  await one.runSlot('nightly', new Date('2026-03-01T03:00:00Z'), 'schedule');
  const now = new Date('2026-03-04T12:00:00Z');
  assert.deepEqual(await one.makeUp(now), ['nightly']);
  assert.deepEqual(await one.makeUp(now), []);
  assert.deepEqual(ran, ['nightly', 'nightly']);
  const [last] = await rows(
    "select trigger, scheduled_for from job_runs where job = 'nightly' order by scheduled_for desc limit 1",
  );
  assert.equal(last.trigger, 'made_up');
  assert.equal(last.scheduled_for.toISOString(), '2026-03-04T03:00:00.000Z');
  await one.end();
});

test('what the clock skipped while a process served is made up by it, not only by the next', async () => {
  const done: string[] = [];
  const runner = process(
    [
      job('skipped', async () => {
        done.push('again');
        return {};
      }),
    ],
    { makeUpEveryMs: 20 },
  );
  try {
    runner.start();
    await pause(50);
    assert.deepEqual(done, [], 'what never ran was not missed');
    await rows(
      "insert into job_runs (job, scheduled_for, trigger, state, started_at) values ('skipped', now() - interval '3 days', 'schedule', 'succeeded', now() - interval '3 days')",
    );
    while (done.length === 0) await pause(10);
    await pause(60);
    assert.deepEqual(done, ['again'], 'once');
  } finally {
    await runner.end();
  }
});

test('a run whose process died is marked as abandoned and its slot run again', async () => {
  const slot = new Date('2026-03-01T03:00:00Z');
  await database.owner.query(
    "insert into job_runs (job, scheduled_for, trigger) values ('orphan', $1, 'schedule')",
    [slot],
  );
  const one = process([job('orphan', async () => ({ done: true }))]);
  assert.deepEqual(await one.makeUp(new Date('2026-03-01T12:00:00Z')), ['orphan']);
  const [run] = await rows("select state, attempts, result from job_runs where job = 'orphan'");
  assert.deepEqual(run, { state: 'succeeded', attempts: 2, result: { done: true } });
  await one.end();
});

test('a failed job is recorded by the class of its fault, never by its text', async () => {
  const one = process([
    job('faulty', async () => {
      throw Object.assign(new Error('row (ada@example.com) was refused'), { code: '23505' });
    }),
  ]);
  await one.runSlot('faulty', new Date('2026-03-01T03:00:00Z'), 'schedule');
  assert.deepEqual(await rows("select state, error from job_runs where job = 'faulty'"), [
    { state: 'failed', error: 'Error 23505' },
  ]);
  await one.end();
});

test('a job whose work is done but for a part is incomplete, says of what, and counts as a success', async () => {
  const warnings = ['s3 host: the bucket answered 403'];
  const one = process([job('half', async () => ({ made: 1, warnings }))]);
  const run = await one.runNow('half');
  assert.deepEqual([run.state, run.error], ['incomplete', warnings[0]]);
  const [status] = await one.status();
  assert.equal(status!.lastSuccessAt, run.finishedAt);
  await one.end();
});

test('an admin runs a job and gets its result; others get in nowhere', async () => {
  const door = `${server.url}/v1/admin/jobs/partitions`;
  assert.equal((await call(door, 'POST')).status, 401);
  const { status, body } = await call(door, 'POST', {}, admin);
  assert.equal(status, 200);
  assert.equal(body.run.state, 'succeeded');
  assert.equal(typeof body.run.result.made, 'number');
  assert.equal((await call(`${server.url}/v1/admin/jobs/no-such`, 'POST', {}, admin)).status, 404);
  const list = await call(`${server.url}/v1/admin/jobs`, 'GET', undefined, admin);
  assert.ok(list.body.jobs.find((each: { job: string }) => each.job === 'partitions').last);
});

test('a minute with service is one bit of its day, however often it is marked', async () => {
  await markMinute(database.app);
  await markMinute(database.app);
  const [day] = await rows('select sum(bit_count(minutes))::int as minutes from service_days');
  assert.ok(day.minutes === 1 || day.minutes === 2); // 2: the minute turned in between
});
