// Opens the house in order: schema, connections, what takes in and what works; and closes it backwards. Whoever makes a
// thing here says how it ends.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bringUp } from './bring-up.ts';
import type { Config } from './config.ts';
import { type AnyFeature, periodsOf, tablesOf } from './features.ts';
import { endLeasesOf, takeLease } from './ground/db/lease.ts';
import { refuseUnsafe, servingUrl } from './ground/db/migrate.ts';
import { makePool, type Pool } from './ground/db/pool.ts';
import { bePresent, type Presence } from './ground/db/presence.ts';
import type { Reading } from './ground/feature.ts';
import { countryLookup } from './ground/geo/country.ts';
import type { Meters } from './ground/http/meters.ts';
import type { RateLimits } from './ground/http/rate-limit.ts';
import { makeRunner, type Runner } from './ground/jobs/runner.ts';
import { replaceDurably } from './ground/lib/durable.ts';
import type { Log } from './ground/lib/log.ts';
import { isUuid } from './ground/lib/uuid.ts';
import type { Tables } from './ground/tables.ts';
import type { Tracing } from './ground/tracing/tracing.ts';
import { type Alerts, alertSettings, watchAlerts } from './operations/alerts/watch.ts';
import { backupSettings } from './operations/backups/settings.ts';
import { type DiskWatch, watchDisk } from './operations/health/disk.ts';
import { type Health, watchHealth } from './operations/health/health.ts';
import { readStatus, type Status } from './operations/status/status.ts';
import { feedTests } from './product/ab-tests/feed-tests.ts';
import { type RunningTests, runningTests } from './product/ab-tests/running.ts';
import { type Accounts, openAccounts, tellKeyring } from './product/accounts/accounts.ts';
import { type Leads, startLeads } from './product/captures/start.ts';
import { type CustomFields, knownFields } from './product/custom-fields/known.ts';
import { ERASURE_MS_MAX, type Forget, forgetting } from './product/erasure/forget.ts';
import { type ForgetBrowser, forgettingBrowsers } from './product/erasure/forget-browser.ts';
import { type DayRoom, endlessRoom, makeDayRoom } from './product/events/day-room.ts';
import { type DaySalts, openDaySalts } from './product/events/day-visitor.ts';
import type { CountryOf } from './product/events/enrich.ts';
import { type Ingest, makeIngest } from './product/events/ingest.ts';
import { type Ledger, makeLedger } from './product/events/ledger.ts';
import { makePartitions } from './product/events/partitions.ts';
import { type Integrations, openIntegrations } from './product/integrations/start.ts';
import { sealRecipients } from './product/mail-reports/addresses.ts';
import { type MetricsCache, metricsCache } from './product/metrics/cache.ts';
import { metricsChannel } from './product/metrics/listen.ts';
import { type Numbers, openNumbers } from './product/metrics/numbers.ts';
import { type Outbox, openOutbox } from './product/outbox/outbox.ts';
import { type FeedStreams, openFeedStreams } from './product/proof/feed-streams.ts';
import { type Feeds, openFeeds } from './product/proof/feeds.ts';
import { openSigner } from './product/proof/signing.ts';
import { tellFeeds } from './product/proof/tell-feeds.ts';
import { knownSites, type Sites } from './product/sites/recognise.ts';
import { countsOf } from './product/stream/counts.ts';
import { openStreams, type Streams } from './product/stream/streams.ts';
import { type Deliverer, openDeliverer } from './product/webhooks/deliver.ts';
import { publicReach, type Reach } from './product/webhooks/reach.ts';
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
  customFields: CustomFields;
  ledger: Ledger;
  ingest: Ingest;
  leads: Leads;
  outbox: Outbox;
  deliverer: Deliverer;
  streams: Streams;
  accounts: Accounts;
  integrations: Integrations;
  health: Health;
  disk: DiskWatch;
  status: () => Promise<Status>;
  /** What all features tell about themselves. */
  readings: readonly Reading<House>[];
  runner: Runner;
  /** Among the other processes that serve. */
  presence: Presence;
  metrics: MetricsCache;
  numbers: Numbers;
  feeds: Feeds;
  feedStreams: FeedStreams;
  countryOf: CountryOf | null;
  daySalts: DaySalts;
  dayRoom: DayRoom;
  abTests: RunningTests;
  /** Of all features. */
  tables: Tables;
  /** How long what is kept, of all features. */
  periods: Record<string, number>;
  forget: Forget;
  forgetBrowser: ForgetBrowser;
}

export interface OpenHouse {
  house: House;
  close(): Promise<void>;
}

/** It is renewed every minute. */
const ALARMS_LEASE_SECONDS = 150;

export interface Opening {
  config: Config;
  log: Log;
  meters: Meters;
  tracing?: Tracing | null;
  limits: RateLimits;
  version: string;
  features: readonly AnyFeature[];
  /** How endpoints of others are reached. Default: by https, on the public internet. */
  reach?: Reach | undefined;
  /** Between two buildings of a site's feed. Default: a second. */
  feedsApartMs?: number | undefined;
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

async function open(opening: Opening, ends: (close: () => unknown) => void): Promise<House> {
  const { config, log, meters, limits, version, features, tracing = null } = opening;
  const { reach = publicReach(config.PUBLIC_URL) } = opening;
  const backups = backupSettings(config);
  const alarms = alertSettings(config);
  const disk = watchDisk([config.DATA_DIR, ...config.DISK_PATHS]);
  ends(() => disk.close());
  await disk.look();
  await bringUp(config, features, alarms, log);
  const url = await servingUrl(config);
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
  for (const excused of await refuseUnsafe(db, config.STORAGE === 'managed'))
    log.warn({ excused }, 'STORAGE=managed');
  await makePartitions(db, -2, 7);

  const sites = await knownSites(db, config.CORS_ALLOWED_ORIGINS, log, config.DATA_REGION);
  ends(() => sites.close());
  const customFields = await knownFields(db, sites, log);
  ends(() => customFields.close());
  const daySalts = await openDaySalts(db, log);
  ends(() => daySalts.close());
  const ledger = makeLedger(db, log);
  let processCount = () => 1; // until this process is among the others
  const inactivityMinutes = config.SESSION_INACTIVITY_MINUTES;
  const ingest = makeIngest({ db: writing, inactivityMinutes, ledger, log, meters, tracing });
  ends(() => ingest.close());
  meters.gauge('marketing_queue_rows', 'Events waiting to be written', () => ingest.depth.rows);
  const outbox = openOutbox(db, log);
  ends(() => outbox.close());
  const leads = await startLeads(config, url, log, outbox, () => processCount());
  ends(() => leads.close());
  const health = watchHealth(db);
  ends(() => health.close());
  await health.check();

  const working = pool('jobs', 3, 600_000);
  const runs = pool('job-runs', 2);
  const metrics = metricsCache(config.METRICS_SUMMARY_CACHE_TTL_MS);
  const numbers = await openNumbers({ db, servingUrl: url, cache: metrics, config, log });
  ends(() => numbers.close());
  const feeds = openFeeds({
    ...{ db, sites, log, signer: openSigner(config), tests: feedTests },
    apartMs: opening.feedsApartMs,
  });
  ends(() => feeds.close());
  ends(tellFeeds({ db, feeds, sites, log }));
  const feedStreams = openFeedStreams({ feeds, sites, isLimited: config.RATE_LIMITS === 'on', log });
  const streams = openStreams(outbox, countsOf(numbers, sites), log);
  const tables = tablesOf(features);
  const erasing = pool('erasure', 2, ERASURE_MS_MAX);
  const accounts = openAccounts(config, db, sites, log);
  ends(() => accounts.post.close());
  await tellKeyring(accounts);
  await sealRecipients(db, sites.ids(), {
    vault: accounts.isConfigured ? accounts.vault() : null,
    hashAddress: leads.hashAddress,
    log,
  });
  const integrations = await openIntegrations({
    db,
    sites,
    accounts,
    leads,
    outbox,
    forget: forgetting(erasing, tables, leads.forgetJournal),
    backupDays: config.BACKUP_RETENTION_DAYS,
    log,
  });
  const presence = await bePresent(
    db,
    url,
    [
      metricsChannel(metrics),
      outbox.channel,
      feeds.channel,
      feeds.siteChannel,
      feedStreams.channel,
      sites.channel,
      streams.channel,
      integrations.channel,
      customFields.channel,
    ],
    log,
  );
  ends(() => presence.close());
  processCount = presence.count;
  ends(() => endLeasesOf(db, presence.id).catch(() => {}));
  await takeOver(db, join(leads.journal.folder, 'process'), presence.id);
  const forget = forgetting(working, tables, leads.forgetJournal);
  const jobs = schedule(features, { config, db: working, sites, backups, metrics, ledger, leads, forget });
  const runner = makeRunner({ db: runs, jobs, log, processId: presence.id, tracing });
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
    isMine: teller(db, presence),
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
          processCount: presence.count,
        });
  const vault = accounts.isConfigured ? accounts.vault() : null;
  const deliverer = openDeliverer({ db, sites, vault, outbox, reach, log });
  ends(() => deliverer.close());
  const countryOf = countryLookup(config.GEO_DATABASE);
  const house: House = {
    config,
    log,
    meters,
    readings,
    limits,
    db,
    sites,
    customFields,
    ledger,
    ingest,
    leads,
    outbox,
    deliverer,
    streams,
    accounts,
    integrations,
    health,
    disk,
    status,
    runner,
    presence,
    metrics,
    numbers,
    feeds,
    feedStreams,
    countryOf,
    daySalts,
    dayRoom,
    abTests: runningTests(db),
    tables,
    periods: periodsOf(features, config),
    forget: forgetting(erasing, tables, leads.forgetJournal),
    forgetBrowser: forgettingBrowsers(erasing, tables, leads.forgetJournal),
  };
  await leads.begin();
  return house;
}

/** Whether it is this process that tells alarms: one of all. While the database cannot say, whoever was it goes on. */
function teller(db: Pool, { id }: Presence): () => Promise<boolean> {
  let isMine = true;
  return async () => {
    isMine = await takeLease(db, 'alarms', id, id, ALARMS_LEASE_SECONDS).catch(() => isMine);
    return isMine;
  };
}

/**
 * The folder's lock says that the process which had it before has ended: nobody waits for its leases to run out.
 * path  where the name of the one that has the folder stands
 */
async function takeOver(db: Pool, path: string, processId: string): Promise<void> {
  const former = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (isUuid(former)) await endLeasesOf(db, former);
  await replaceDurably(path, `${processId}\n`);
}
