// The frame of every request: its id, an answer in JSON when something throws, and one line in the log when it ends:
// route, status, time; no query, no address.
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Log } from '../lib/log.ts';
import { answerError, refuseUnanswered, type TellPerson } from './errors.ts';
import type { Meters } from './meters.ts';

const QUIET = new Set(['/livez', '/readyz', '/v1/healthz', '/metrics']);

export function requestLog(log: Log, meters: Meters, tellPerson: TellPerson): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.state.requestId = randomUUID();
    ctx.res.setHeader('X-Request-Id', ctx.state.requestId); // Koa's own set() makes four arrays of a header
    try {
      await next();
      refuseUnanswered(ctx);
    } catch (thrown) {
      answerError(ctx, thrown, log, tellPerson);
    }
    const ms = Math.round((performance.now() - started) * 100) / 100;
    const { method, status, state } = ctx;
    // the route's pattern, never the URL: a path can hold a token, a query an address
    const route: string = state.route ?? (typeof ctx._matchedRoute === 'string' ? ctx._matchedRoute : 'none');
    meters.request(method, route, status, ms / 1000);
    const line = { requestId: state.requestId, method, route, status, ms, error: state.errorCode };
    if (status >= 500) log.warn(line, 'request');
    else if (QUIET.has(route)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}
