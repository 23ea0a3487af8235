// The first rush: thousands of events in tables that PostgreSQL has not analysed yet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { partitions, record } from '../../../test/record.ts';

const DAY = '2026-03-14';
const EVENTS = 3000;
const VISITORS = 1500;
let database: TestDatabase;
let siteId: string;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  await partitions(database.owner, DAY, DAY);
  await database.owner.query('vacuum analyze'); // seen empty: the worst that the planner can believe
  await record(
    database.app,
    siteId,
    Array.from({ length: EVENTS }, (_, n) => ({
      id: `rush ${n}`,
      visitor: `reader-${n % VISITORS}`,
      at: `${DAY}T09:1${Math.floor(n / VISITORS)}:00Z`,
      path: `/page-${n % 7}`,
    })),
    500,
  );
});
after(() => database.drop());

test('its day is rolled up by looking rows up, not by comparing each with each', async () => {
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  const plans: string[] = [];
  client.on('notice', ({ message }) => message && plans.push(message));
  try {
    await client.query(
      "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set auto_explain.log_buffers = on; set client_min_messages = log",
    );
    await client.query(`set role marketing_app; set marketing.sites = '${siteId}'`); // as the job: row level security holds
    for (let round = 0; round < 2; round += 1)
      await client.query('select roll_up_day($1, $2)', [siteId, DAY]);
  } finally {
    await client.end();
  }
  const pages = Math.max(...plans.map((plan) => Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1] ?? 0)));
  let compared = 0;
  let loops = 1;
  for (const line of plans.flatMap((plan) => plan.split('\n'))) {
    loops = Number(/loops=(\d+)/.exec(line)?.[1] ?? loops);
    compared += loops * Number(/Rows Removed by (?:Join )?Filter: (\d+)/.exec(line)?.[1] ?? 0);
  }
  assert.ok(
    plans.some((plan) => plan.includes('begun_here')),
    'the plans were told',
  );
  assert.ok(compared < 30 * EVENTS, `${compared} rows were read or compared for nothing`);
  assert.ok(pages < 10 * EVENTS, `${pages} pages were read again and again`);
  const { rows } = await database.owner.query(
    'select page_views, unique_visitors, sessions from daily_metric_rollups where site_id = $1 and day = $2',
    [siteId, DAY],
  );
  assert.deepEqual(rows, [{ page_views: EVENTS, unique_visitors: VISITORS, sessions: VISITORS }]);
});
