// Start: config → listen (not ready) → migrate → database → app → jobs → ready; on SIGTERM the same backwards.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Router from '@koa/router';
import { makeApp, type Services } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { isDatabaseAway } from './ground/db/faults.ts';
import { appUrl, migrate, refuseUnsafe } from './ground/db/migrate.ts';
import { makePool } from './ground/db/pool.ts';
import { countryLookup } from './ground/geo/country.ts';
import { errorBody } from './ground/http/errors.ts';
import { makeMeters } from './ground/http/meters.ts';
import { watchEnd } from './ground/http/response-end.ts';
import { makeRunner } from './ground/jobs/runner.ts';
import { AppError } from './ground/lib/app-error.ts';
import { type Log, makeLog } from './ground/lib/log.ts';
import { policyOf } from './ground/retention/policy.ts';
import { alertSettings, startAlarm, watchAlerts } from './operations/alerts/watch.ts';
import { backupSettings } from './operations/backups/settings.ts';
import { watchDisk } from './operations/health/disk.ts';
import { watchHealth } from './operations/health/routes.ts';
import { readStatus } from './operations/status/status.ts';
import { startLeads } from './product/captures/start.ts';
import { makeIngest } from './product/events/ingest.ts';
import { makeLedger } from './product/events/ledger.ts';
import { makePartitions } from './product/events/queries.ts';
import { metricsCache } from './product/metrics/cache.ts';
import { listenForChanges } from './product/metrics/listen.ts';
import { rollupStatus } from './product/metrics/rollup.ts';
import { knownSites } from './product/sites/recognise.ts';
import { ensureSnippet } from './product/snippet/routes.ts';
import { schedule } from './schedule.ts';

export const version: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;

const DRAIN_MS_MAX = 12_000; // the container is given 20 s, the contract 15
const DATABASE_WAIT_MS_MAX = 120_000;

export interface Running {
  url: string;
  port: number;
  services: Services;
  /** For the test that finds every route in the OpenAPI document. */
  routers: Router[];
  /** Readiness red, finish what came in, write it, close. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts the API and resolves when it is ready. throws when the configuration, the schema or the database is not right */
export async function start(config: Config, log: Log = makeLog(config.LOG_LEVEL)): Promise<Running> {
  const meters = makeMeters();
  await ensureSnippet();
  const { app, life, serve } = makeApp({ config, log, meters, version });
  let handle = app.callback();
  let draining = false;
  const server = createServer((request, response) => {
    // a client that keeps its connection busy would keep us from ever ending
    if (draining) response.setHeader('Connection', 'close');
    watchEnd(response);
    return handle(request, response);
  });
  // what is no HTTP at all is refused in the same shape as anything else
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const body = JSON.stringify(
      errorBody(new AppError('invalid_request', 'This is not a request we can read.'), randomUUID()),
    );
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  // Longer than Caddy keeps one idle (20 s, caddy/Caddyfile): it must never be us who close one it is about to use.
  server.keepAliveTimeout = 75_000;
  server.headersTimeout = 20_000;
  server.requestTimeout = 30_000;
  await listen(server, config);
  const { port } = server.address() as AddressInfo;
  log.info({ port, host: config.HOST, version }, 'listening; not ready yet');
  if (config.RATE_LIMITS === 'off')
    log.warn('RATE_LIMITS=off: anyone may send as much as they like; for benches and load tests only');

  const closers: (() => Promise<unknown> | unknown)[] = [];
  const backups = backupSettings(config, version);
  const alarms = alertSettings(config);
  const disk = watchDisk([config.DATA_DIR, ...config.DISK_PATHS]);
  closers.push(() => disk.close());
  try {
    await disk.look();
    await databaseAnswers(() => migrate(config.DATABASE_URL, log), log).catch(async (error: Error) => {
      await startAlarm(
        alarms,
        'The database could not be brought up to this release, so nothing is served',
        log,
      );
      throw error;
    });
    const url = config.DATABASE_APP_URL ?? (await appUrl(config.DATABASE_URL, config.IP_HASH_PEPPER));
    // Writing has connections of its own, so that reading never starves it.
    const writing = makePool(url, { name: 'ingest', connectionsMax: 2, statementTimeoutMs: 15_000, log });
    const db = makePool(url, { name: 'api', connectionsMax: 6, statementTimeoutMs: 15_000, log });
    closers.push(
      () => writing.end(),
      () => db.end(),
    );
    await refuseUnsafe(db);
    await makePartitions(db, -2, 7);
    const sites = await knownSites(db, config.CORS_ALLOWED_ORIGINS, log);
    closers.push(() => sites.close());
    const ledger = makeLedger(db, log);
    const ingest = makeIngest({
      db: writing,
      inactivityMinutes: config.SESSION_INACTIVITY_MINUTES,
      ledger,
      log,
      meters,
    });
    closers.push(() => ingest.close());
    const leads = await startLeads(config, url, log);
    closers.push(() => leads.close());
    const health = watchHealth(db);
    await health.check();
    meters.gauge('marketing_queue_rows', 'Events waiting to be written', () => ingest.depth.rows);
    const working = makePool(url, { name: 'jobs', connectionsMax: 3, statementTimeoutMs: 600_000, log });
    const locks = makePool(url, { name: 'job-locks', connectionsMax: 2, statementTimeoutMs: 15_000, log });
    const metrics = metricsCache(config.METRICS_SUMMARY_CACHE_TTL_MS);
    const listening = await listenForChanges(url, metrics, log);
    closers.push(() => listening.close());
    const runner = makeRunner({
      locks,
      jobs: schedule({ db: working, sites, backups, metrics, policy: policyOf(config), leads }),
      log,
    });
    closers.push(
      () => working.end(),
      () => locks.end(),
      () => runner.close(),
    );
    const status = () =>
      readStatus({
        db,
        backups,
        disk,
        version,
        sources: {
          jobs: () => runner.status(),
          rollup: (pool) => rollupStatus(pool, sites.ids()),
          alarms: () => alerts.now(),
          certificate: alarms.certificate,
        },
      });
    const alerts = watchAlerts(alarms, { status, backups, registry: meters.registry, log });
    closers.push(() => alerts.close());
    const services: Services = {
      db,
      sites,
      ledger,
      ingest,
      health,
      disk,
      status,
      runner,
      leads,
      metrics,
      countryOf: countryLookup(config.GEO_DATABASE),
    };
    const routers = [...life, ...serve(services)];
    handle = app.callback(); // composed anew, with the routes
    health.phase = 'serving';
    if (config.JOBS === 'on') runner.start();
    log.info({ port }, 'ready');

    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= (async () => {
        health.phase = 'draining';
        draining = true;
        log.info('stopping: finishing what came in');
        const closed = new Promise<void>((done) => server.close(() => done()));
        server.closeIdleConnections();
        // requests under way are answered by the engine's last writes; whoever keeps a connection open is cut off
        await Promise.race([closed, new Promise((done) => setTimeout(done, DRAIN_MS_MAX).unref())]);
        server.closeAllConnections();
        health.close();
        for (const close of closers.reverse()) await close();
        log.info('stopped');
      })();
      return stopping;
    };
    return {
      url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`,
      port,
      services,
      routers,
      stop,
    };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => {});
    throw error;
  }
}

function listen(server: Server, { PORT, HOST }: Config): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      failed(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${PORT} on ${HOST} is in use. Stop what uses it, or set PORT to another.`)
          : error,
      );
    });
    server.listen(PORT, HOST, done);
  });
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

if (import.meta.main) {
  let running: Running | null = null;
  try {
    const config = readConfig(process.env);
    const log = makeLog(config.LOG_LEVEL);
    let ends = false;
    const end = (signal: string) => {
      if (ends) return;
      ends = true;
      log.info({ signal }, 'asked to stop');
      setTimeout(() => process.exit(1), 15_000).unref();
      // a signal during the start ends it at once: nothing was taken in yet
      (running?.stop() ?? Promise.resolve()).then(
        () => process.exit(0),
        (err) => {
          log.error({ err }, 'stopping failed');
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', () => end('SIGTERM'));
    process.on('SIGINT', () => end('SIGINT'));
    running = await start(config, log);
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 100);
  }
}
