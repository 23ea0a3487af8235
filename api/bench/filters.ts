// npm run bench:filters — what filtered numbers cost: 90 days of visits, made by set-based SQL as the rollup leaves them, then
// each question that reports ask, in CPU time of its backend; and how many bytes a visit takes.
//
//   npm run bench:filters -- 250000      visits (default)

import { makePool } from '../src/ground/db/pool.ts';
import { inSites } from '../src/ground/db/transaction.ts';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import type { Site } from '../src/ground/site.ts';
import {
  countDays,
  countKinds,
  countVisitors,
  SELECTED_KINDS,
} from '../src/product/metrics/reports/selected.ts';
import { insertSite } from '../src/product/sites/queries.ts';
import { startCluster } from '../test/cluster.ts';
import { makeDatabase, makeTemplate } from '../test/database.ts';
import { cpuMs } from './processes.ts';

const visits = Number(process.argv[2] ?? 250_000);
const DAYS = 90;
const TARGET_MS = 400;
const TARGET_BYTES = 150;

/** Days that are made as the rollup makes them; the others are copies of these with visitors of their own. */
const MADE = 9;

/** $1 site, $2 day, $3 visits: a third of the visitors come again; pages and referrers have long tails, browsers go with devices. */
const A_DAY = `insert into visit_facts
  select $1, $2::date, md5('visitor ' || case when n % 3 = 0 then n / 3 % 700 || '' else n || ' ' || $2 end)::uuid, md5(n || ' session ' || $2)::uuid, 1,
    source, case source when 'direct' then null when 'organic_search' then 'google.com' when 'social' then (array['facebook.com', 't.co'])[1 + n % 2]
      when 'referral' then 'www.site-' || floor(random() ^ 3 * 60) || '.example' end,
    case when source = 'email' then 'campaign ' || n % 12 end, case when source = 'email' then 'news' end, case when source = 'email' then 'email' end, null, null,
    device, case device when 'desktop' then (array['Chrome', 'Chrome', 'Firefox', 'Edge'])[1 + n % 4] else (array['Chrome', 'Safari'])[1 + n % 2] end,
    case device when 'desktop' then (array['Windows', 'macOS'])[1 + n % 2] else (array['Android', 'iOS'])[1 + n % 2] end,
    (array['CA', 'US', 'FR', 'DE', 'GB', 'BR'])[1 + floor(random() ^ 3 * 6)::int],
    pages[1], pages[cardinality(pages)], 5, cardinality(pages), 0, 0, 0, (random() < 0.05)::int, (cardinality(pages) = 1)::int, floor(random() * 60000),
    array_fill('page'::text, array[cardinality(pages)]), pages, array_fill(1, array[cardinality(pages)]), array_fill(0, array[cardinality(pages)]),
    array_fill(1, array[cardinality(pages)]), array_fill(0::bigint, array[cardinality(pages)]), '{}', false
  from (
    select n, (array['direct', 'organic_search', 'social', 'email', 'referral'])[1 + floor(random() ^ 2 * 5)::int] as source,
      (array['desktop', 'mobile', 'mobile'])[1 + floor(random() * 3)::int] as device
    from generate_series(1, $3::int) n
  ) came cross join lateral (
    -- two and a half pages a visit
    select array_agg(distinct '/articles/page-' || floor(random() ^ 3 * 800)) as pages from generate_series(1, 1 + n % 4)
  ) p`;

/** $1 site, $2 a day that is made, $3 another: with visitors of its own, save a third, who are there again. */
const COPY = `insert into session_days
  select site_id, case when nth % 3 = 0 then visitor_id else md5(visitor_id || $3)::uuid end, $3::date, origin_id, landing_id, leaving_id, engaged_ms, nth,
    forms_started, forms_submitted, again, begun, converted, bounced, pages
  from session_days where site_id = $1 and day = $2::date`;

const cluster = await startCluster({ shared_buffers: '128MB', max_wal_size: '2GB' });
try {
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  const database = await makeDatabase();
  const made = await insertSite(database.app, {
    key: 'bench',
    name: '',
    domain: null,
    origins: [],
    settings: {},
  });
  const site = { ...made, settings: {} } as Site;
  const last = addDays(dayOf(Date.now()), -3);
  const window = { from: addDays(last, 1 - DAYS), to: last };
  for (let n = 0; n < DAYS; n += 1)
    await inSites(database.app, site.siteId, async (tx) => {
      const day = addDays(window.from, n);
      if (n < MADE) {
        await tx.query(A_DAY, [site.siteId, day, Math.round(visits / DAYS)]);
        await tx.query('select keep_visits($1, $2)', [site.siteId, day]);
      } else await tx.query(COPY, [site.siteId, addDays(window.from, n % MADE), day]);
      await tx.query(
        `insert into visitor_days (site_id, day, visitor_id, previous_day)
         select distinct site_id, day, visitor_id, null::date from session_days where site_id = $1 and day = $2`,
        [site.siteId, day],
      );
    });
  await database.owner.query('vacuum analyze');
  const { rows } = await database.owner.query(
    `select (select count(*)::int from session_days) as visits, pg_total_relation_size('session_days') as numbers,
       pg_total_relation_size('visit_origins') + pg_total_relation_size('visit_paths') as names`,
  );
  const bytes = (Number(rows[0].numbers) + Number(rows[0].names)) / rows[0].visits;
  console.log(
    `${rows[0].visits} visits: ${bytes.toFixed(0)} bytes a visit (names ${(rows[0].names / rows[0].visits).toFixed(0)}), ${bytes <= TARGET_BYTES ? 'met' : 'not met'}`,
  );

  // one connection: its backend's CPU time is what a question costs, whatever else the machine does
  const pool = makePool(database.appUrl, {
    name: 'bench',
    connectionsMax: 1,
    statementTimeoutMs: 60_000,
    log: makeLog('silent'),
  });
  const { rows: own } = await pool.query('select pg_backend_pid() as pid');
  const everything = [['source~is_not~none such']];
  const some = [['source~is~email', 'device~is~mobile']];
  const page = [['page~contains~page-1']];
  const questions: [string, (selection: string[][]) => Parameters<typeof inSites>[2]][] = [
    ['days', (selection) => (tx) => countDays(tx, site, window, selection)],
    ['visitors', (selection) => (tx) => countVisitors(tx, site, window, selection, [window])],
    ['sources', (selection) => (tx) => countKinds(tx, site, window, selection, ['source'], 10)],
    ['pages', (selection) => (tx) => countKinds(tx, site, window, selection, ['page'], 10)],
    ['all kinds', (selection) => (tx) => countKinds(tx, site, window, selection, SELECTED_KINDS, 10)],
  ];
  for (const [of, selection] of [
    ['all visits', everything],
    ['email on mobiles', some],
    ['one page', page],
  ] as const)
    for (const [name, question] of questions) {
      const costs: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const before = cpuMs(own[0].pid);
        await inSites(pool, site.siteId, question(selection));
        costs.push(cpuMs(own[0].pid) - before);
      }
      const cost = costs.sort((a, b) => a - b)[1]!;
      console.log(
        `${of}, ${name}: ${cost.toFixed(0)} ms of a core, ${cost <= TARGET_MS ? 'met' : 'not met'}`,
      );
    }
  await pool.end();
  await database.drop();
} finally {
  await cluster.remove();
}
