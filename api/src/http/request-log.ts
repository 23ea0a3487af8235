// Gives the request its id and logs one line when it ends, whatever happens: route, status, time; no query, no address.
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Log } from '../lib/log.ts';
import type { Meters } from './meters.ts';

const QUIET = new Set(['/livez', '/readyz', '/v1/healthz', '/metrics']);

export function requestLog(log: Log, meters: Meters): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.requestId = randomUUID();
    ctx.set('X-Request-Id', ctx.state.requestId);
    try {
      await next();
    } finally {
      const ms = Math.round((performance.now() - started) * 100) / 100;
      // the route's pattern, never the URL: a path can hold a token, a query an address
      const route: string =
        ctx.state.route ?? (typeof ctx._matchedRoute === 'string' ? ctx._matchedRoute : 'none');
      meters.request(ctx.method, route, ctx.status, ms / 1000);
      const line = {
        requestId: ctx.state.requestId,
        method: ctx.method,
        route,
        status: ctx.status,
        ms,
        error: ctx.state.errorCode,
      };
      if (ctx.status >= 500) log.warn(line, 'request');
      else if (QUIET.has(ctx.path)) log.debug(line, 'request');
      else log.info(line, 'request');
    }
  };
}
