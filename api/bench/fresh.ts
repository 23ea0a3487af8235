// npm run bench:fresh: what a minute of keeping today fresh costs PostgreSQL while 100 events a second arrive, with more and
// more events in the day already; beside it the whole count of the same day.
//
//   npm run bench:fresh -- 100000 1000000      events already in today, one step each (default: these two)
import { createHash } from 'node:crypto';
import { freemem, loadavg } from 'node:os';
import { randomFrom } from '../demo/traffic.ts';
import { makePool } from '../src/ground/db/pool.ts';
import { inSites } from '../src/ground/db/transaction.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import type { ArrivedEvent } from '../src/product/events/enrich.ts';
import { uuidv7 } from '../src/product/events/enrich.ts';
import { ingestEvents } from '../src/product/events/queries.ts';
import { rollUp } from '../src/product/metrics/rollup.ts';
import { startCluster } from '../test/cluster.ts';
import { makeDatabase, makeTemplate } from '../test/database.ts';
import { cpuMs } from './processes.ts';

const steps = process.argv.slice(2).map(Number);
if (steps.length === 0) steps.push(100_000, 1_000_000);
const MINUTES = Number(process.env.BENCH_MINUTES ?? 4);
const PER_SECOND = 100;
const EVENTS_A_VISIT = 5;
/** A visit's events come together, as in `npm run bench`, or so many seconds after each other. */
const SECONDS_APART = [0, 20];
/** As the script sends a visit of two pages; or every event with two properties of its own and a loading time. */
const KINDS = ['script', 'properties'] as const;
type Kind = (typeof KINDS)[number];
const BATCH = 32;
/** CPU a minute of freshness, in milliseconds. */
const TARGET = 300;
const beside = (ms: number) => `${ms} (target ≤ ${TARGET}: ${ms <= TARGET ? 'met' : 'not met'})`;

/** Visits of five events from the beginning of the day till seven minutes ago, straight into the tables. */
const TODAY = `with visits as materialized (
    select v, md5('visitor ' || v)::uuid as visitor_id, md5('session ' || v)::uuid as session_id,
      date_trunc('day', now(), 'UTC') + random() * (now() - interval '7 minutes' - date_trunc('day', now(), 'UTC')) as at,
      (array['direct', 'organic_search', 'social', 'email', 'referral', 'paid_search'])[1 + floor(random() ^ 2 * 6)::int] as source,
      case when v % 5 = 0 then jsonb_build_object('source', 'news', 'medium', 'email', 'campaign', 'c' || v % 40) end as utm,
      (array['desktop', 'mobile'])[1 + v % 2] as device, (array['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + v % 4] as browser,
      (array['CA', 'US', 'FR', 'DE'])[1 + v % 4] as country
    from generate_series(1, $2::int / ${EVENTS_A_VISIT}) v
  ), people as (
    insert into visitors (site_id, visitor_id, first_seen_at, last_seen_at, first_human_at) select $1, visitor_id, at, at + interval '80 s', at from visits
  ), cut as (
    insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, source, utm, device_type, browser, os, country)
    select $1, session_id, visitor_id, at, at + interval '80 s', '/page-1', source, utm, device, browser, 'Linux', country from visits
  )
  insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source, utm, clamped,
    privacy_signal, is_conversion, engaged_ms, ttfb_ms, props, device_type, browser, os, country)
  select $1, gen_random_uuid(), visitor_id, session_id, at + n * interval '20 s', at + n * interval '20 s',
    case when n = 4 then 'cta_click' else 'page_view' end, '/page-' || floor(random() ^ 3 * 3000), 'https://www.example.com/', case when n = 0 then source else 'internal' end,
    case when n = 0 then utm end, false, false, false, 1200, 100 + random() * 400, jsonb_build_object('plan', 'pro', 'position', n), device, browser, 'Linux', country
  from visits cross join generate_series(0, 4) n`;

/** What arrives: 20 visits begin each second; every third is of someone who was there today. In order of time. */
function arriving(
  siteId: string,
  from: number,
  minutes: number,
  known: number,
  apart: number,
  kind: Kind,
): ArrivedEvent[] {
  const random = randomFrom(`arriving ${apart} ${kind}`);
  const events: ArrivedEvent[] = [];
  const visitsASecond = PER_SECOND / EVENTS_A_VISIT;
  // those that are under way when it begins have begun before
  for (let second = -apart * EVENTS_A_VISIT; second < minutes * 60; second += 1)
    for (let v = 0; v < visitsASecond; v += 1) {
      const visitor =
        random() < 0.33 ? `${1 + Math.floor(random() * known)}` : `new ${kind} ${apart} ${second} ${v}`;
      const hash = visitorUuid(visitor);
      for (let n = 0; n < EVENTS_A_VISIT; n += 1) {
        const at = second + n * apart + random();
        if (at < 0 || at >= minutes * 60) continue;
        const instant = new Date(from + at * 1000).toISOString();
        events.push({
          site_id: siteId,
          event_id: uuidv7(),
          visitor_id: hash,
          client_at: instant,
          received_at: instant,
          path: `/page-${Math.floor(random() ** 3 * 3000)}`,
          referrer: 'https://www.google.com/',
          source: n === 0 ? 'organic_search' : 'internal',
          privacy_signal: false,
          is_conversion: false,
          ...(kind === 'script' ? scriptSends(n, random) : ownEvent(n, random)),
          device_type: 'desktop',
          browser: 'Chrome',
          os: 'Linux',
          country: 'CA',
        });
      }
    }
  return events.sort((a, b) => (a.client_at! < b.client_at! ? -1 : 1));
}
function scriptSends(n: number, random: () => number) {
  if (n === 1)
    return {
      event_type: 'web_vitals',
      fcp_ms: 400 + random() * 900,
      lcp_ms: 600 + random() * 1500,
      ttfb_ms: 100 + random() * 400,
    };
  if (n === 2) return { event_type: 'engagement', engaged_ms: 4000 + random() * 20_000 };
  if (n === 4) return { event_type: 'cta_click', props: { label: 'hero' } };
  return { event_type: 'page_view' };
}

const ownEvent = (n: number, random: () => number) => ({
  event_type: n === 4 ? 'cta_click' : 'page_view',
  engaged_ms: 1200,
  ttfb_ms: 100 + random() * 400,
  props: { plan: 'pro', position: n },
});

const ids = new Map<string, string>();
function visitorUuid(name: string): string {
  let id = ids.get(name);
  if (!id) {
    const hex = createHash('md5').update(`visitor ${name}`).digest('hex');
    id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    ids.set(name, id);
  }
  return id;
}

const cluster = await startCluster({ shared_buffers: '128MB', max_wal_size: '2GB' });
const table: Record<string, string | number>[] = [];
try {
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  for (const events of steps) {
    const database = await makeDatabase();
    const siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id as string;
    await database.owner.query("set statement_timeout = '600s'");
    await database.owner.query(TODAY, [siteId, events]);
    await database.owner.query('vacuum analyze');
    const app = makePool(database.appUrl, {
      name: 'bench',
      connectionsMax: 1,
      statementTimeoutMs: 600_000,
      log: makeLog('silent'),
    });
    // of the connection that does it; of all of PostgreSQL too, in which what vacuums behind the ingest falls where it likes
    const backend = (await app.query('select pg_backend_pid() as pid')).rows[0].pid as number;
    const cost = async (work: () => Promise<unknown>) => {
      const before = [cpuMs(backend), cpuMs(cluster.pid())] as const;
      await work();
      return { cpu: cpuMs(backend) - before[0], all: cpuMs(cluster.pid()) - before[1] };
    };
    const whole = () =>
      inSites(app, siteId, async (db) => {
        await db.query("select roll_up_day($1, (now() at time zone 'UTC')::date)", [siteId]);
      });
    await whole();
    await database.owner.query('vacuum analyze');
    const minute: Record<string, string> = {};
    for (const [kind, apart] of KINDS.flatMap((kind) =>
      SECONDS_APART.map((apart) => [kind, apart] as const),
    )) {
      const name = `${kind === 'script' ? 'as the script sends' : 'two properties an event'}${apart ? `, ${apart} s apart` : ''}`;
      const began = Date.now() - MINUTES * 60_000;
      const stream = arriving(siteId, began, MINUTES, events / EVENTS_A_VISIT, apart, kind);
      const rounds: { cpu: number; all: number }[] = [];
      for (let n = 0; n < stream.length; n += BATCH) {
        await ingestEvents(database.app, stream.slice(n, n + BATCH), new Map(), 30);
        if (Math.floor((n + BATCH) / (PER_SECOND * 60)) <= rounds.length) continue;
        // as old as they were if the minute had taken a minute
        await database.owner.query('update dirty_visits set marked_at = now() - ($1::timestamptz - until)', [
          new Date(began + (rounds.length + 1) * 60_000),
        ]);
        rounds.push(await cost(() => rollUp(app, { siteIds: [siteId], patient: true })));
      }
      console.log(
        `${events} events in today, ${name}: ${rounds.map(({ cpu, all }) => `${cpu} (${all} with what runs beside)`).join(', ')} ms of CPU a minute`,
      );
      const middle = rounds
        .slice(1)
        .map(({ cpu }) => cpu)
        .sort((a, b) => a - b)[(rounds.length - 2) >> 1]!;
      minute[name] = kind === 'script' ? beside(middle) : `${middle}`;
    }
    const again = await cost(whole);
    const size = (
      await database.owner.query(
        "select pg_total_relation_size('visit_facts') as facts, (select count(*)::int from visit_facts) as visits, pg_total_relation_size('open_names') as names",
      )
    ).rows[0];
    table.push({
      'events in today': events,
      ...minute,
      'the whole day, CPU ms': again.cpu,
      'bytes a visit': Math.round(size.facts / size.visits),
      'MB of names': (size.names / 1e6).toFixed(1),
    });
    await app.end();
    await database.drop();
  }
} finally {
  await cluster.remove();
}
console.table(table);
console.log(`load ${loadavg()[0]!.toFixed(1)}, ${Math.round(freemem() / 1e6)} MB free`);
process.exit(0);
