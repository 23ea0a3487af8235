// npm run bench:metrics — what the numbers cost: a day's rollup, the summary cached and not, every metrics route, and
// ingestion beside a rollup; for a growing number of events over 90 days in two sites.
//
//   npm run bench:metrics -- 100000 1000000      events in all, one step each (default: these two)
//
// One machine for everything: PostgreSQL, this process (API and client in one). Figures are for comparing.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeTraffic } from '../demo/store.ts';
import { trafficOf } from '../demo/traffic.ts';
import { readConfig } from '../src/config.ts';
import { makePool } from '../src/ground/db/pool.ts';
import { inSites } from '../src/ground/db/transaction.ts';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { start } from '../src/main.ts';
import { ingestEvents } from '../src/product/events/queries.ts';
import { rollUp } from '../src/product/metrics/rollup.ts';
import { insertSite } from '../src/product/sites/queries.ts';
import { PEPPER, startCluster } from '../test/cluster.ts';
import { makeDatabase, makeTemplate } from '../test/database.ts';

const steps = process.argv.slice(2).map(Number);
if (steps.length === 0) steps.push(100_000, 1_000_000);
const ADMIN_KEY = 'an admin key for the bench only';
const EVENTS_PER_VISITOR_DAY = 5.2; // what the generator makes, growth and returns included
const SITES = ['default', 'second'];

const quantile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
const pct = (times: number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) };
};
// What is aimed at, in milliseconds at the 95th percentile, by the events there are; the others have no number of their own.
const within = (target: number, value: number) =>
  `target ≤ ${target}: ${value <= target ? 'met' : 'not met'}`;
const attributionTarget = (events: number) => (events < 5_000_000 ? 20 : 60);
const SLOWEST_TARGET = 100;
const ms = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));

/** Memory of our own of a process, in MB: what it does not share (shared_buffers would count for every backend). */
function ownMb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(rollup)?.[1] ?? 0);
  return (kb('Private_Dirty') + kb('Private_Clean')) / 1024;
}

const cluster = await startCluster({ shared_buffers: '128MB', max_wal_size: '2GB' });
const table: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'marketing-bench-'));
try {
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  for (const events of steps) {
    const database = await makeDatabase();
    const running = await start(
      readConfig({
        PORT: '0',
        HOST: '127.0.0.1',
        DATABASE_URL: database.ownerUrl,
        ADMIN_API_KEY: ADMIN_KEY,
        IP_HASH_PEPPER: PEPPER,
        RATE_LIMITS: 'off',
        JOBS: 'off',
        DATA_DIR: folder,
        METRICS_SUMMARY_CACHE_TTL_MS: '60000',
        LOG_LEVEL: 'silent',
      }),
    );
    const { services } = running;
    await insertSite(services.db, { key: 'second', name: '', domain: null, origins: [], settings: {} });
    await services.sites.reload();
    const last = dayOf(Date.now() - 86_400_000);
    const first = addDays(last, -89);
    const visitorsPerDay = Math.round(events / SITES.length / 90 / EVENTS_PER_VISITOR_DAY);
    let began = performance.now();
    const sent = await Promise.all(
      services.sites.list().map((site) =>
        storeTraffic(services.db, {
          siteId: site.siteId,
          seed: `bench ${site.key}`,
          first,
          last,
          until: Date.now(),
          visitorsPerDay,
        }),
      ),
    );
    const stored = sent.reduce((sum, site) => sum + site.events, 0);
    const storing = (performance.now() - began) / 1000;
    const owner = makePool(database.ownerUrl, {
      name: 'bench-owner',
      connectionsMax: 1,
      statementTimeoutMs: 600_000,
      log: makeLog('silent'),
    });
    await owner.query('vacuum analyze');

    // one connection, so that its memory is the rollup's
    const one = makePool(database.appUrl, {
      name: 'bench',
      connectionsMax: 1,
      statementTimeoutMs: 600_000,
      log: makeLog('silent'),
    });
    const siteId = services.sites.fallback().siteId;
    const pid = (await one.query('select pg_backend_pid() as pid')).rows[0].pid as number;
    const idle = ownMb(pid);
    let peak = idle;
    const watch = setInterval(() => {
      peak = Math.max(peak, ownMb(pid));
    }, 5);
    const dayTimes: number[] = [];
    began = performance.now();
    for (const site of services.sites.list())
      for (let day = first; day <= last; day = addDays(day, 1)) {
        const at = performance.now();
        await inSites(one, site.siteId, (client) =>
          client.query('select roll_up_day($1, $2)', [site.siteId, day]),
        );
        dayTimes.push(performance.now() - at);
      }
    const backfill = (performance.now() - began) / 1000;
    clearInterval(watch);
    await one.end();
    began = performance.now();
    await rollUp(services.db, {
      from: last,
      to: last,
      siteIds: services.sites.ids(),
    });
    const facts = (performance.now() - began) / 1000;
    await owner.query('vacuum analyze');

    const get = async (path: string) => {
      const at = performance.now();
      const response = await fetch(`${running.url}/v1/metrics/${path}`, {
        headers: { 'x-admin-key': ADMIN_KEY },
      });
      await response.text();
      if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
      return performance.now() - at;
    };
    const measure = async (path: (round: number) => string, rounds: number, fresh: boolean) => {
      const times: number[] = [];
      for (let round = 0; round < rounds + 5; round += 1) {
        if (fresh) services.metrics.clear();
        const took = await get(path(round));
        if (round >= 5) times.push(took); // the first ones warm the code up
      }
      return pct(times);
    };
    const window = (days: number) => `from=${addDays(last, -(days - 1))}&to=${last}`;
    const summary30 = await measure(() => `summary?${window(30)}&compareTo=1`, 100, true);
    const summary90 = await measure(() => `summary?${window(90)}&compareTo=1`, 100, true);
    const cached = await measure(() => `summary?${window(90)}&compareTo=1`, 300, false);
    const routes: [string, { p50: number; p95: number }][] = [];
    for (const path of [
      `timeseries?${window(90)}`,
      `timeseries?${window(90)}&interval=week`,
      ...['pages', 'sources', 'campaigns', 'events', 'vitals', 'spend'].map(
        (by) => `breakdown?${window(90)}&by=${by}`,
      ),
      `cohorts?${window(90)}`,
      `attribution?${window(90)}`,
      `attribution?${window(90)}&of=signup`,
      `quality?${window(90)}`,
      `leads?${window(90)}`,
      'realtime?',
    ])
      routes.push([path.replace(window(90), '90 days'), await measure(() => path, 30, true)]);

    // Ingestion alone, then beside rollups of the largest day without a pause.
    const flood = async (seconds: number, salt: string) => {
      const times: number[] = [];
      const made = trafficOf(last, { siteId, seed: salt, first, visitorsPerDay: 400 }).events;
      const until = performance.now() + seconds * 1000;
      for (let i = 0; performance.now() < until; i = (i + 50) % (made.length - 50)) {
        const now = new Date().toISOString();
        const batch = made.slice(i, i + 50).map((event, n) => ({
          ...event,
          event_id: crypto.randomUUID(),
          client_at: new Date(Date.now() + n).toISOString(),
          received_at: now,
        }));
        const at = performance.now();
        await ingestEvents(services.db, batch, new Map(), 30);
        times.push(performance.now() - at);
        await new Promise((done) => setTimeout(done, 20));
      }
      return pct(times);
    };
    await flood(2, 'warm');
    const alone = await flood(6, 'alone');
    let stop = false;
    const rolling = (async () => {
      let count = 0;
      while (!stop) {
        await rollUp(services.db, { from: last, to: last, siteIds: [siteId] });
        count += 1;
      }
      return count;
    })();
    const beside = await flood(6, 'beside');
    stop = true;
    const rollups = await rolling;

    const size = (
      await database.owner.query(
        `select pg_database_size(current_database()) as all,
           (select sum(pg_total_relation_size(t::regclass)) from unnest(array['daily_metric_rollups', 'daily_ingest_rollups', 'daily_breakdowns',
             'visitor_returns', 'visitor_days', 'rollup_state', 'lead_facts', 'lead_touches', 'lead_credits']) t) as rollups,
           (select count(*) from lead_facts) as leads`,
      )
    ).rows[0];
    const days = pct(dayTimes);
    const slowest = routes.toSorted((a, b) => b[1].p95 - a[1].p95)[0]!;
    console.log(
      `\n${stored} events, 90 days, 2 sites (stored in ${storing.toFixed(0)} s; load ${loadavg()[0]!.toFixed(1)})`,
    );
    console.log(
      `  day rollup            p50 ${ms(days.p50)} ms, p95 ${ms(days.p95)}, max ${ms(Math.max(...dayTimes))} ms; all ${backfill.toFixed(1)} s`,
    );
    console.log(`  rollup memory         ${(peak - idle).toFixed(0)} MB above an idle backend`);
    console.log(`  facts of leads        ${size.leads} leads, ${facts.toFixed(1)} s with a day's rollup`);
    console.log(`  summary 30 d, fresh   p50 ${ms(summary30.p50)} ms, p95 ${ms(summary30.p95)} ms`);
    console.log(`  summary 90 d, fresh   p50 ${ms(summary90.p50)} ms, p95 ${ms(summary90.p95)} ms`);
    console.log(`  summary cached        p50 ${ms(cached.p50)} ms, p95 ${ms(cached.p95)} ms`);
    for (const [path, { p50, p95 }] of routes) {
      const target = path.startsWith('attribution') ? ` (${within(attributionTarget(stored), p95)})` : '';
      console.log(`  ${path.padEnd(34)} p50 ${ms(p50)} ms, p95 ${ms(p95)} ms${target}`);
    }
    console.log(
      `  slowest route         ${slowest[0]}, p95 ${ms(slowest[1].p95)} ms (${within(SLOWEST_TARGET, slowest[1].p95)})`,
    );
    console.log(
      `  batch of 50 stored    p99 ${ms(alone.p99)} ms alone, ${ms(beside.p99)} ms beside ${rollups} rollups (${(beside.p99 / alone.p99).toFixed(1)} times)`,
    );
    console.log(
      `  rollup tables         ${(size.rollups / 1e6).toFixed(1)} MB of ${(size.all / 1e6).toFixed(0)} MB`,
    );
    const credited = routes.find(([path]) => path.startsWith('attribution'))![1].p95;
    table.push(
      `| ${stored} | ${ms(days.p50)} | ${ms(Math.max(...dayTimes))} | ${(peak - idle).toFixed(0)} | ${ms(summary30.p95)} | ${ms(summary90.p95)} | ${ms(cached.p95)} | ${ms(credited)} (${within(attributionTarget(stored), credited)}) | ${slowest[0]} ${ms(slowest[1].p95)} | ${(beside.p99 / alone.p99).toFixed(1)} | ${(size.rollups / 1e6).toFixed(1)} |`,
    );
    await running.stop();
    await owner.end();
    await database.drop();
  }
} finally {
  await cluster.remove();
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  '\n| events | day rollup p50 ms | max ms | its memory MB | summary 30 d p95 ms | 90 d p95 ms | cached p95 ms | attribution p95 ms | slowest route p95 ms | ingest p99 beside rollups, times | rollup tables MB |\n|---|---|---|---|---|---|---|---|---|---|---|',
);
for (const row of table) console.log(row);
console.log(
  `\n${execFileSync('nproc', { encoding: 'utf8' }).trim()} cores; load at the end ${loadavg()[0]!.toFixed(1)}`,
);
