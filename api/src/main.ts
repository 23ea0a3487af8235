// Start: settings → listen (not ready) → the house → its routes → ready; on SIGTERM the same backwards.
import type Router from '@koa/router';
import { makeApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { type AnyFeature, FEATURES } from './features.ts';
import type { WayIn } from './ground/http/caller.ts';
import { makeMeters } from './ground/http/meters.ts';
import type { Route } from './ground/http/route.ts';
import { type Log, makeLog } from './ground/lib/log.ts';
import { openTracing } from './ground/tracing/tracing.ts';
import { type House, openHouse } from './house.ts';
import { strangers, strangerWords } from './operations/settings/names.ts';
import { nobodyToAsk, sitesWithoutContact } from './product/consent/readings.ts';
import { ensureDashboard } from './product/dashboard/routes.ts';
import { ensureSnippet } from './product/snippet/routes.ts';
import type { Reach } from './product/webhooks/reach.ts';
import { listen } from './serve.ts';

export interface Running {
  url: string;
  port: number;
  services: House;
  /** Every route that is mounted, and the routers that find them; for tests that walk them. */
  routes: Route[];
  routers: Router[];
  /** Readiness red, finish what came in, write it, close. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  features?: readonly AnyFeature[];
  /** Further ways in beside the admin key. */
  ways?: WayIn[];
  /** Compares each answer with its document. */
  checkAnswers?: boolean;
  /** How endpoints of others are reached. */
  reach?: Reach;
  /** Between two buildings of a site's feed. */
  feedsApartMs?: number;
}

/** Starts the API and resolves when it is ready. throws when the configuration, the schema or the database is not right */
export async function start(
  config: Config,
  log: Log = makeLog(config.LOG_LEVEL),
  { features = FEATURES, ways = [], checkAnswers = false, reach, feedsApartMs }: StartOptions = {},
): Promise<Running> {
  const { version } = config;
  const meters = makeMeters();
  const tracing = await openTracing({
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    serviceName: config.OTEL_SERVICE_NAME,
    version,
    log,
  });
  await Promise.all([ensureSnippet(), ensureDashboard()]);
  const app = makeApp({ config, log, meters, tracing, version, features, ways, checkAnswers });
  const listening = await listen(app.koa, config);
  const { port, url } = listening;
  log.info({ port, host: config.HOST, version }, 'listening; not ready yet');
  if (config.RATE_LIMITS === 'off')
    log.warn('RATE_LIMITS=off: anyone may send as much as they like; for benches and load tests only');

  const opened = await openHouse({
    config,
    log,
    meters,
    tracing,
    limits: app.limits,
    version,
    features,
    reach,
    feedsApartMs,
  }).catch((error) => {
    listening.cut();
    throw error;
  });
  const { house } = opened;
  app.serve(
    house,
    features.flatMap((feature) => feature.routes?.(house) ?? []),
    features.flatMap((feature) => feature.ways?.(house) ?? []),
  );
  const without = sitesWithoutContact(config, house.sites).length;
  if (without > 0) log.warn(nobodyToAsk(without));
  listening.renew();
  house.health.phase = 'serving';
  house.deliverer.wake(); // what waited while nobody served
  if (config.JOBS === 'on') house.runner.start();
  log.info({ port }, 'ready');

  let stopping: Promise<void> | null = null;
  async function stopNow(): Promise<void> {
    house.health.phase = 'draining';
    log.info('stopping: finishing what came in');
    for (const streams of [house.streams, house.feedStreams]) streams.close(); // they would keep the door open for good
    await listening.drain();
    await opened.close();
    await tracing?.close(); // last: nobody loses anything by it
    log.info('stopped');
  }
  return {
    url,
    port,
    services: house,
    routes: app.tables.flatMap((table) => table.routes),
    routers: app.tables.map((table) => table.router),
    stop: () => (stopping ??= stopNow()),
  };
}

/** As a program: signals end it, and what keeps it from starting is said on standard error. */
async function run(): Promise<void> {
  let running: Running | null = null;
  let ends = false;
  const config = readConfig(process.env);
  const log = makeLog(config.LOG_LEVEL);
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
  for (const one of strangers(process.env)) log.warn(one, strangerWords(one));
  running = await start(config, log);
}

if (import.meta.main)
  run().catch((error) => {
    console.error(error instanceof ConfigError ? error.message : error);
    // last, because whoever looks at a log that failed looks at its end
    if (!(error instanceof ConfigError)) console.error(`The API did not start: ${error?.message ?? error}`);
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 100);
  });
