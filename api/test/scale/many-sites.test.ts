// More sites than a notice can name (216): every job answers, and what runs each minute asks for all of them at once, not for each.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startServer, type TestServer } from '../server.ts';

const SITES = 220;
/** They need programs, a place or a network that a test has not; their work is the same for any number of sites. */
const ELSEWHERE = ['backup', 'verify_backup', 'offsite', 'newer_release'];
const MINUTELY = '* * * * *';

let server: TestServer;
let asked = 0;
const { query } = pg.Client.prototype;
before(async () => {
  server = await startServer();
  await server.database.owner.query(
    "insert into sites (key, name) select 'site-' || n, 'Site ' || n from generate_series(1, $1) n",
    [SITES],
  );
  await server.services.sites.reload();
  pg.Client.prototype.query = function counted(this: pg.Client, ...question: unknown[]) {
    asked += 1;
    return Reflect.apply(query, this, question);
  } as typeof query;
});
after(async () => {
  pg.Client.prototype.query = query;
  await server.end();
});

test('every job ends well, and a minute asks the database less often than there are sites', async () => {
  const { runner } = server.services;
  const statements: Record<string, number> = {};
  await runner.runNow('rollup'); // each site's first day is counted once
  for (const { name, cron } of runner.jobs.filter((job) => !ELSEWHERE.includes(job.name))) {
    asked = 0;
    const run = await runner.runNow(name);
    assert.equal(run.state, 'succeeded', `${name}: ${run.error}`);
    if (cron === MINUTELY || name === 'discrepancy') statements[name] = asked;
  }
  assert.ok(Object.keys(statements).length > 3);
  assert.deepEqual(
    Object.entries(statements).filter(([, count]) => count > SITES / 5),
    [],
  );
});
