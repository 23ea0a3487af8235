// Every middleware and every route, in order, on one page.
import type Router from '@koa/router';
import Koa from 'koa';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Config } from './config.ts';
import type { Pool } from './ground/db/pool.ts';
import { requireAdmin } from './ground/http/admin.ts';
import { clientIdentifier } from './ground/http/client.ts';
import { cors } from './ground/http/cors.ts';
import type { Meters } from './ground/http/meters.ts';
import { openApiRoutes } from './ground/http/openapi.ts';
import { rateLimits } from './ground/http/rate-limit.ts';
import { requestLog } from './ground/http/request-log.ts';
import { jobPaths, jobRoutes } from './ground/jobs/routes.ts';
import type { Runner } from './ground/jobs/runner.ts';
import { AppError } from './ground/lib/app-error.ts';
import type { Log } from './ground/lib/log.ts';
import { audit } from './operations/audit/audit.ts';
import type { DiskWatch } from './operations/health/disk.ts';
import { type Health, healthPaths, lifeRoutes, metersRoutes } from './operations/health/routes.ts';
import { adminPaths, adminRoutes } from './operations/status/routes.ts';
import type { Status } from './operations/status/status.ts';
import { verdictPaths, verdictRoutes } from './product/bots/routes.ts';
import { recordPaths, recordRoutes } from './product/breaches/routes.ts';
import { tellPerson } from './product/captures/pages.ts';
import { quarantinePaths, quarantineRoutes } from './product/captures/quarantine-routes.ts';
import { leadPaths, leadRoutes } from './product/captures/routes.ts';
import { type Leads, privacyFacts } from './product/captures/start.ts';
import { confirmPaths, confirmRoutes } from './product/consent/confirm.ts';
import { consentPaths, consentRoutes } from './product/consent/routes.ts';
import { outcomePaths, outcomeRoutes } from './product/conversions/routes.ts';
import { subjectPaths, subjectRoutes } from './product/erasure/routes.ts';
import { account } from './product/events/account.ts';
import type { Ingest } from './product/events/ingest.ts';
import type { Ledger } from './product/events/ledger.ts';
import { eventPaths, eventRoutes } from './product/events/routes.ts';
import { identityPaths, identityRoutes } from './product/identities/routes.ts';
import { leadAdminPaths, leadAdminRoutes } from './product/leads/routes.ts';
import type { MetricsCache } from './product/metrics/cache.ts';
import { metricsPaths, metricsRoutes } from './product/metrics/routes.ts';
import type { Sites } from './product/sites/recognise.ts';
import { sitePaths, siteRoutes } from './product/sites/routes.ts';
import { snippetPaths, snippetRoutes } from './product/snippet/routes.ts';

/** What is there once the database is: until then only the life routes answer. */
export interface Services {
  db: Pool;
  sites: Sites;
  ledger: Ledger;
  ingest: Ingest;
  leads: Leads;
  health: Health;
  disk: DiskWatch;
  status: () => Promise<Status>;
  runner: Runner;
  metrics: MetricsCache;
  countryOf: (address: string) => string | null;
}

export interface AppOptions {
  config: Config;
  log: Log;
  meters: Meters;
  version: string;
}

/** Every documented route; a test walks the routers and finds each here. */
export const paths: ZodOpenApiPathsObject = {
  ...healthPaths,
  ...eventPaths,
  ...sitePaths,
  ...snippetPaths,
  ...adminPaths,
  ...jobPaths,
  ...leadPaths,
  ...consentPaths,
  ...confirmPaths,
  ...metricsPaths,
  ...leadAdminPaths,
  ...subjectPaths,
  ...quarantinePaths,
  ...identityPaths,
  ...recordPaths,
  ...outcomePaths,
  ...verdictPaths,
};

export function makeApp({ config, log, meters, version }: AppOptions): {
  app: Koa;
  life: Router[];
  serve: (services: Services) => Router[];
} {
  const app = new Koa();
  app.silent = true; // http/errors.ts and the request log say it
  app.on('error', (err: Error & { code?: string }) => {
    // a client that went away in the middle of its own request or of our answer
    if (err.code !== 'EPIPE' && err.code !== 'ECONNRESET' && err.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      log.error({ err }, 'a response failed');
  });
  let services: Services | null = null;
  const identify = clientIdentifier(config.TRUSTED_PROXIES, config.IP_HASH_PEPPER);
  const limits = rateLimits(config.RATE_LIMITS === 'on', identify);
  // every action behind this door leaves a line in the audit log
  const door = requireAdmin(config.ADMIN_API_KEY, limits);
  const noted = audit(() => services?.leads.pool ?? null, log);
  const admin: Koa.Middleware = (ctx, next) => door(ctx, () => noted(ctx, next) as Promise<void>);

  // Layers that only pass on are no async functions: each costs a request a promise.
  app.use(requestLog(log, meters, tellPerson));
  app.use((ctx, next) => {
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff');
    ctx.res.setHeader('Referrer-Policy', 'no-referrer');
    return next();
  });
  app.use(
    cors((origin) => services?.sites.allowsOrigin(origin) ?? config.CORS_ALLOWED_ORIGINS.includes(origin)),
  );
  const life = [
    lifeRoutes({
      health: () => services?.health ?? null,
      isFull: () => services?.ingest.isFull ?? false,
      version,
    }),
    snippetRoutes(), // needs no database, and pages wait for nothing of ours
  ];
  mount(app, life);
  app.use((_ctx, next) => {
    if (services) return next();
    throw new AppError('unavailable', 'The service is starting. Try again in a few seconds.', {
      retryAfterSeconds: 5,
    });
  });

  /** Mounts everything that needs the database, and opens the door. */
  function serve(ready: Services): Router[] {
    const { db, sites, ledger, ingest, leads, disk, status, runner, metrics, countryOf } = ready;
    const doors = { sites, ledger, ingest, limits, identify, countryOf };
    const routers = [
      eventRoutes(doors),
      leadRoutes({ ...doors, ...leads }),
      consentRoutes({ ...doors, ...leads, db: leads.pool, admin, privacy: privacyFacts(config) }),
      confirmRoutes({ ...doors, ...leads }),
      leadAdminRoutes({ ...doors, ...leads, db, admin, publicUrl: config.PUBLIC_URL }),
      subjectRoutes({ ...doors, ...leads, db, admin }),
      quarantineRoutes({ db, sites, admin }),
      identityRoutes({ db, sites, admin }),
      recordRoutes({ db, sites, admin }),
      siteRoutes({ db, sites, admin, mail: leads.mail }),
      adminRoutes({ admin, status }),
      jobRoutes({ db, runner, admin }),
      verdictRoutes({ db, sites, admin }),
      outcomeRoutes({ db, sites, cache: metrics, admin, hashAddress: leads.hashAddress }),
      metricsRoutes({ db, sites, cache: metrics, limits, admin, config }),
      metersRoutes({ meters, adminKey: config.ADMIN_API_KEY, identify }),
      openApiRoutes(paths, version),
    ];
    app.use(account(sites, ledger));
    // every door that has no bucket of its own
    app.use((ctx, next) =>
      OWN_BUCKETS.has(ctx.path) ? next() : limits.take(ctx, 'other').then(() => next()),
    );
    app.use((ctx, next) => {
      // a full disk would stop the database for everyone: visits wait (the snippet keeps them), people don't
      if (disk.refusesEvents() && EVENT_DOORS.has(ctx.path))
        throw new AppError(
          'unavailable',
          'There is no room for events at the moment. Keep them and send them again.',
          {
            retryAfterSeconds: 300,
          },
        );
      return next();
    });
    mount(app, routers);
    services = ready;
    return routers;
  }
  return { app, life, serve };
}

const EVENT_DOORS = new Set(['/v1/events', '/v1/pixel.gif']);

// They take from their own bucket inside the route, where the number of events is known.
const OWN_BUCKETS = new Set([
  '/v1/events',
  '/v1/pixel.gif',
  '/v1/leads/capture',
  '/v1/leads/unsubscribe',
  '/v1/leads/delete',
  '/v1/metrics/summary',
  '/metrics',
]);

/**
 * Mounts routers as one layer. A route at a fixed path with one handler is found in a map: the routers' own search,
 * a dozen times over, cost as much as reading the body. A request passes by routers that don't know its path.
 */
function mount(app: Koa, routers: Router[]): void {
  const direct = new Map<string, { path: string; handle: Koa.Middleware }>();
  for (const { path, methods, stack } of routers.flatMap((router) => router.stack)) {
    const [handle, ...more] = stack;
    if (typeof path !== 'string' || !/^[\w/.-]+$/.test(path) || !handle || more.length > 0) continue;
    for (const method of methods)
      if (!direct.has(`${method} ${path}`))
        direct.set(`${method} ${path}`, { path, handle: handle as Koa.Middleware });
  }
  const searched = routers.map((router) => ({
    knows: (path: string) => router.stack.some((layer) => layer.match(path)),
    routes: router.routes() as unknown as Koa.Middleware,
    otherMethods: router.allowedMethods() as unknown as Koa.Middleware,
  }));
  app.use((ctx, next) => {
    const found = direct.get(`${ctx.method} ${ctx.path}`);
    if (found) {
      ctx._matchedRoute = found.path;
      return found.handle(ctx, next);
    }
    const search = (from: number): Promise<unknown> => {
      const at = searched.findIndex(({ knows }, i) => i >= from && knows(ctx.path));
      const router = searched[at];
      return router ? router.routes(ctx, () => router.otherMethods(ctx, () => search(at + 1))) : next();
    };
    return search(0);
  });
}
