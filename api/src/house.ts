// Opens the house in order: schema, connections, what takes in and what works; and closes it backwards. Whoever makes a
// thing here says how it ends.
import type { Config } from './config.ts';
import { type AnyFeature, functionsOf, periodsOf, tablesOf } from './features.ts';
import { isDatabaseAway } from './ground/db/faults.ts';
import { appUrl, migrate, refuseUnsafe } from './ground/db/migrate.ts';
import { makePool, type Pool } from './ground/db/pool.ts';
import type { Reading } from './ground/feature.ts';
import { countryLookup } from './ground/geo/country.ts';
import type { Meters } from './ground/http/meters.ts';
import type { RateLimits } from './ground/http/rate-limit.ts';
import { makeRunner, type Runner } from './ground/jobs/runner.ts';
import type { Log } from './ground/lib/log.ts';
import type { Tables } from './ground/tables.ts';
import { type Alerts, alertSettings, startAlarm, watchAlerts } from './operations/alerts/watch.ts';
import { backupSettings } from './operations/backups/settings.ts';
import { type DiskWatch, watchDisk } from './operations/health/disk.ts';
import { type Health, watchHealth } from './operations/health/health.ts';
import { readStatus, type Status } from './operations/status/status.ts';
import { type Accounts, openAccounts } from './product/accounts/accounts.ts';
import { type Leads, startLeads } from './product/captures/start.ts';
import { ERASURE_MS_MAX, type Forget, forgetting } from './product/erasure/forget.ts';
import { type DayRoom, endlessRoom, makeDayRoom } from './product/events/day-room.ts';
import { type DaySalts, openDaySalts } from './product/events/day-visitor.ts';
import type { CountryOf } from './product/events/enrich.ts';
import { type Ingest, makeIngest } from './product/events/ingest.ts';
import { type Ledger, makeLedger } from './product/events/ledger.ts';
import { makePartitions } from './product/events/partitions.ts';
import { type MetricsCache, metricsCache } from './product/metrics/cache.ts';
import { listenForChanges } from './product/metrics/listen.ts';
import { knownSites, type Sites } from './product/sites/recognise.ts';
import { schedule } from './schedule.ts';

/** What a serving process has; features take the part they need. */
export interface House {
  config: Config;
  log: Log;
  meters: Meters;
  limits: RateLimits;
  /** For reading: ingestion and captures have connections of their own. */
  db: Pool;
  sites: Sites;
  ledger: Ledger;
  ingest: Ingest;
  leads: Leads;
  accounts: Accounts;
  health: Health;
  disk: DiskWatch;
  status: () => Promise<Status>;
  /** What all features tell about themselves. */
  readings: readonly Reading<House>[];
  runner: Runner;
  metrics: MetricsCache;
  countryOf: CountryOf | null;
  daySalts: DaySalts;
  dayRoom: DayRoom;
  /** Of all features. */
  tables: Tables;
  /** How long what is kept, of all features. */
  periods: Record<string, number>;
  forget: Forget;
}

export interface OpenHouse {
  house: House;
  close(): Promise<void>;
}

const DATABASE_WAIT_MS_MAX = 120_000;

export interface Opening {
  config: Config;
  log: Log;
  meters: Meters;
  limits: RateLimits;
  version: string;
  features: readonly AnyFeature[];
}

/** throws  when the schema or the database is not right; what was open by then is closed */
export async function openHouse(opening: Opening): Promise<OpenHouse> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return { house: await open(opening, (one) => closers.push(one)), close };
  } catch (error) {
    for (const one of closers.splice(0).reverse()) await Promise.resolve(one()).catch(() => {});
    throw error;
  }
}

async function open(
  { config, log, meters, limits, version, features }: Opening,
  ends: (close: () => unknown) => void,
): Promise<House> {
  const backups = backupSettings(config);
  const alarms = alertSettings(config);
  const disk = watchDisk([config.DATA_DIR, ...config.DISK_PATHS]);
  ends(() => disk.close());
  await disk.look();
  await databaseAnswers(() => migrate(config.DATABASE_URL, functionsOf(features), log), log).catch(
    async (error: Error) => {
      await startAlarm(
        alarms,
        'The database could not be brought up to this release, so nothing is served',
        log,
      );
      throw error;
    },
  );
  const url = config.DATABASE_APP_URL ?? (await appUrl(config.DATABASE_URL, config.IP_HASH_PEPPER));
  const pool = (
    name: string,
    connectionsMax: number,
    statementTimeoutMs = 15_000,
    lockTimeoutMs = statementTimeoutMs,
  ) => {
    const made = makePool(url, { name, connectionsMax, statementTimeoutMs, lockTimeoutMs, log });
    ends(() => made.end());
    return made;
  };
  // Writing has connections of its own, so that reading never starves it.
  const writing = pool('ingest', 2, 10_000, 2000);
  const db = pool('api', 6);
  await refuseUnsafe(db);
  await makePartitions(db, -2, 7);

  const sites = await knownSites(db, config.CORS_ALLOWED_ORIGINS, log);
  ends(() => sites.close());
  const daySalts = await openDaySalts(db, log);
  ends(() => daySalts.close());
  const ledger = makeLedger(db, log);
  const inactivityMinutes = config.SESSION_INACTIVITY_MINUTES;
  const ingest = makeIngest({ db: writing, inactivityMinutes, ledger, log, meters });
  ends(() => ingest.close());
  meters.gauge('marketing_queue_rows', 'Events waiting to be written', () => ingest.depth.rows);
  const leads = await startLeads(config, url, log);
  ends(() => leads.close());
  const health = watchHealth(db);
  ends(() => health.close());
  await health.check();

  const working = pool('jobs', 3, 600_000);
  const locks = pool('job-locks', 2);
  const metrics = metricsCache(config.METRICS_SUMMARY_CACHE_TTL_MS);
  const listening = await listenForChanges(url, metrics, log);
  ends(() => listening.close());
  const tables = tablesOf(features);
  const forget = forgetting(working, tables, leads.forgetJournal);
  const jobs = schedule(features, { config, db: working, sites, backups, metrics, ledger, leads, forget });
  const runner = makeRunner({ locks, jobs, log });
  ends(() => runner.close());

  const readings = features.flatMap((feature) => feature.readings ?? []);
  const status = () =>
    readStatus({
      db,
      backups,
      disk,
      version,
      sources: {
        jobs: () => runner.status(),
        readings: readings.map((reading) => ({ reading, value: () => reading.read(house) })),
        alarms: () => alerts.now(),
        certificate: alarms.certificate,
      },
    });
  const alerts: Alerts = watchAlerts(alarms, {
    status,
    readings,
    backups,
    registry: meters.registry,
    log,
  });
  ends(() => alerts.close());
  const dayRoom =
    config.RATE_LIMITS === 'off'
      ? endlessRoom
      : makeDayRoom({
          bytesMax: config.EVENTS_MB_PER_DAY ? config.EVENTS_MB_PER_DAY * 1_000_000 : null,
          freeBytes: () => disk.fullest()?.freeBytes ?? null,
          siteCount: () => sites.list().length,
        });
  const accounts = openAccounts(config, db, sites, log);
  ends(() => accounts.post.close());
  const countryOf = countryLookup(config.GEO_DATABASE);
  const house: House = {
    config,
    log,
    meters,
    readings,
    limits,
    db,
    sites,
    ledger,
    ingest,
    leads,
    accounts,
    health,
    disk,
    status,
    runner,
    metrics,
    countryOf,
    daySalts,
    dayRoom,
    tables,
    periods: periodsOf(features, config),
    forget: forgetting(pool('erasure', 2, ERASURE_MS_MAX), tables, leads.forgetJournal),
  };
  return house;
}

/** A database that is still starting is waited for; anything else it says is an answer. */
async function databaseAnswers<T>(work: () => Promise<T>, log: Log): Promise<T> {
  const until = performance.now() + DATABASE_WAIT_MS_MAX;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() > until) throw error;
      log.warn({ err: error }, 'the database does not answer yet; trying again');
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
