// The frame of every request: its call, an answer when something throws, and one line in the log when it ends: route,
// status, time; no query, no address.
import type { Middleware } from 'koa';
import type { Log } from '../lib/log.ts';
import { Call } from './call.ts';
import type { IdentifyClient } from './client.ts';
import { answerError, refuseUnanswered, type TellPerson } from './errors.ts';
import type { Meters } from './meters.ts';
import { pathOf } from './route.ts';

const QUIET = new Set(['/livez', '/readyz', '/v1/healthz', '/metrics']);

export function requestLog(
  log: Log,
  meters: Meters,
  identify: IdentifyClient,
  tellPerson: TellPerson,
): Middleware {
  return async (ctx, next) => {
    const call = new Call(ctx, identify);
    ctx.state.call = call;
    ctx.res.setHeader('X-Request-Id', call.id); // Koa's own set() makes four arrays of a header
    try {
      await next();
      refuseUnanswered(ctx);
    } catch (thrown) {
      answerError(ctx, call, thrown, log, tellPerson);
    }
    const ms = Math.round((performance.now() - call.began) * 100) / 100;
    const { method, status } = ctx;
    // the route's pattern, never the URL: a path can hold a token, a query an address
    const route = call.route ? pathOf(call.route) : 'none';
    meters.request(method, route, status, ms / 1000);
    const line = { requestId: call.id, method, route, status, ms, error: call.errorCode };
    if (status >= 500) log.warn(line, 'request');
    else if (QUIET.has(route)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}
