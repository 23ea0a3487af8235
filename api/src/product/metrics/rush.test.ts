// The first rush: thousands of events in tables that PostgreSQL has not analysed yet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { partitions, record } from '../../../test/record.ts';

const DAY = '2026-03-14';
const DAY_BEFORE = '2026-03-13'; // a third of it: what grows faster than the events shows
const EVENTS = 3000;
const FEW = EVENTS / 3;
let database: TestDatabase;
let siteId: string;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  await partitions(database.owner, DAY_BEFORE, DAY);
  await database.owner.query('vacuum analyze'); // seen empty: the worst that the planner can believe
  await rush(DAY_BEFORE, FEW);
  await rush(DAY, EVENTS);
});
after(() => database.drop());

/** Two page views of each visitor, in two bursts a minute apart. */
async function rush(day: string, events: number) {
  const visitors = events / 2;
  await record(
    database.app,
    siteId,
    Array.from({ length: events }, (_, n) => ({
      id: `rush ${day} ${n}`,
      visitor: `reader-${day}-${n % visitors}`,
      at: `${day}T09:1${Math.floor(n / visitors)}:00Z`,
      path: `/page-${n % 7}`,
    })),
    500,
  );
}

/** The plans of a day's rollup, done twice, as the job does it: with row level security. */
async function plansOf(day: string) {
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  const plans: string[] = [];
  client.on('notice', ({ message }) => message && plans.push(message));
  try {
    await client.query(
      "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set auto_explain.log_buffers = on; set client_min_messages = log",
    );
    await client.query(`set role marketing_app; set marketing.sites = '${siteId}'`);
    for (let round = 0; round < 2; round += 1)
      await client.query('select roll_up_day($1, $2)', [siteId, day]);
  } finally {
    await client.end();
  }
  return plans;
}

const pagesOf = (plans: string[]) =>
  Math.max(...plans.map((plan) => Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1] ?? 0)));

function comparedIn(plans: string[]) {
  let compared = 0;
  let loops = 1;
  for (const line of plans.flatMap((plan) => plan.split('\n'))) {
    loops = Number(/loops=(\d+)/.exec(line)?.[1] ?? loops);
    compared += loops * Number(/Rows Removed by (?:Join )?Filter: (\d+)/.exec(line)?.[1] ?? 0);
  }
  return compared;
}

test('its day is rolled up by looking rows up, not by comparing each with each', async () => {
  const few = pagesOf(await plansOf(DAY_BEFORE));
  const plans = await plansOf(DAY);
  const pages = pagesOf(plans);
  const compared = comparedIn(plans);
  assert.ok(
    plans.some((plan) => plan.includes('begun_here')),
    'the plans were told',
  );
  assert.ok(compared < 30 * EVENTS, `${compared} rows were read or compared for nothing`);
  // three times the events read at most three times the pages; each with each would read nine times as many
  assert.ok(
    few > FEW && pages < 3 * few,
    `${few} pages were read for a third of the events, ${pages} for all`,
  );
  const { rows } = await database.owner.query(
    'select page_views, unique_visitors, sessions from daily_metric_rollups where site_id = $1 and day = $2',
    [siteId, DAY],
  );
  assert.deepEqual(rows, [{ page_views: EVENTS, unique_visitors: EVENTS / 2, sessions: EVENTS / 2 }]);
});
