// Every layer of a request, in order, on one page. The routes themselves are the features' (features.ts).
import Koa from 'koa';
import type { Config } from './config.ts';
import type { AnyFeature } from './features.ts';
import { callOf } from './ground/http/call.ts';
import { admission, type WayIn } from './ground/http/caller.ts';
import { clientIdentifier } from './ground/http/client.ts';
import { cors } from './ground/http/cors.ts';
import { type FrameParts, mount, type RouteTable, tableOf } from './ground/http/frame.ts';
import { frontRoute } from './ground/http/front.ts';
import type { Meters } from './ground/http/meters.ts';
import { openApiRoute } from './ground/http/openapi.ts';
import { type RateLimits, rateLimits } from './ground/http/rate-limit.ts';
import { refusalPages } from './ground/http/refusal-page.ts';
import { requestLog } from './ground/http/request-log.ts';
import { isAt, type Route } from './ground/http/route.ts';
import { AppError } from './ground/lib/app-error.ts';
import type { Log } from './ground/lib/log.ts';
import type { Tracing } from './ground/tracing/tracing.ts';
import type { House } from './house.ts';
import { auditLog } from './operations/audit/audit.ts';
import { strangerLog } from './operations/audit/strangers.ts';
import { lifeRoutes } from './operations/health/routes.ts';
import { graphRoutes } from './product/graphql/routes.ts';
import { snippetRoutes } from './product/snippet/routes.ts';

export interface AppOptions {
  config: Config;
  log: Log;
  meters: Meters;
  tracing?: Tracing | null;
  version: string;
  features: readonly Pick<AnyFeature, 'tells'>[];
  /** Further ways in beside the admin key. */
  ways?: WayIn[];
  /** For tests: compares each answer with its document. */
  checkAnswers?: boolean;
}

export interface App {
  koa: Koa;
  limits: RateLimits;
  /** What is mounted: at first what answers without a house. */
  tables: RouteTable[];
  /** Mounts everything that needs the database. */
  serve(house: House, routes: Route[], ways: WayIn[]): void;
}

export function makeApp(options: AppOptions): App {
  const { config, log, meters, version, features, ways = [], checkAnswers = false, tracing = null } = options;
  const koa = new Koa();
  koa.silent = true; // http/errors.ts and the request log say it
  koa.on('error', (err: Error & { code?: string }) => {
    // a client that went away in the middle of its own request or of our answer
    if (err.code !== 'EPIPE' && err.code !== 'ECONNRESET' && err.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      log.error({ err }, 'a response failed');
  });
  let house: House | null = null;
  const tables: RouteTable[] = [];
  const identify = clientIdentifier(config.TRUSTED_PROXIES, config.IP_HASH_PEPPER);
  const limits = rateLimits(config.RATE_LIMITS === 'on');
  const others = [...ways];
  const admit = admission({ adminKey: config.ADMIN_API_KEY, others }, limits);
  const routeAt = (method: string, path: string) => {
    for (const table of tables) {
      const route = table.at(method, path);
      if (route) return route;
    }
    return house
      ? null
      : (features.flatMap(({ tells = [] }) => tells).find((one) => isAt(one, path)) ?? null);
  };

  // Layers that only pass on are no async functions: each costs a request a promise.
  koa.use(requestLog(log, meters, identify, refusalPages(routeAt), tracing));
  koa.use((ctx, next) => {
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff');
    ctx.res.setHeader('Referrer-Policy', 'no-referrer');
    return next();
  });
  koa.use(
    cors((origin) => house?.sites.allowsOrigin(origin) ?? config.CORS_ALLOWED_ORIGINS.includes(origin)),
  );
  const life = tableOf(
    [
      ...lifeRoutes({
        health: () => house?.health ?? null,
        isFull: () => house?.ingest.isFull ?? false,
        version,
      }),
      frontRoute(),
      ...snippetRoutes(), // needs no database, and pages wait for nothing of ours
    ],
    { limits, admit, checkAnswers } as FrameParts, // none of them is limited, for a site, counted or noted
  );
  tables.push(life);
  mount(koa, life);
  koa.use((_ctx, next) => {
    if (house) return next();
    throw new AppError('unavailable', 'The service is starting. Try again in a few seconds.', {
      retryAfterSeconds: 5,
    });
  });

  function serve(ready: House, routes: Route[], more: WayIn[]): void {
    others.push(...more);
    const { sites, ledger, disk, leads } = ready;
    const note = auditLog(leads.pool, log);
    const parts: FrameParts = {
      limits,
      admit,
      sites,
      refusals: ledger,
      room: disk,
      note,
      noteStranger: strangerLog(note),
      checkAnswers,
    };
    const all: Route[] = [
      ...routes,
      ...graphRoutes({ mode: config.GRAPHQL, folder: config.DATA_DIR, routes, parts }),
      openApiRoute(() => tables.flatMap((table) => table.routes), version),
    ];
    const table = tableOf(all, parts);
    tables.push(table);
    mount(koa, table);
    // what is nowhere costs its caller as well
    koa.use((ctx, next) => {
      limits.take(callOf(ctx).client, 'other');
      return next();
    });
    house = ready;
  }
  return { koa, limits, tables, serve };
}
