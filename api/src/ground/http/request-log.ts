// The frame of every request: its call, an answer when something throws, and one line in the log when it ends: route,
// status, time; no query, no address; the trace where one was made of it. Events that are taken are told by the batch.
import type { Middleware } from 'koa';
import type { Log } from '../lib/log.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { Call } from './call.ts';
import type { IdentifyClient } from './client.ts';
import { answerError, type TellPerson } from './errors.ts';
import type { Meters } from './meters.ts';

const UNANSWERED = new Set([404, 405, 501]);

export function requestLog(
  log: Log,
  meters: Meters,
  identify: IdentifyClient,
  tellPerson: TellPerson,
  tracing: Tracing | null = null,
): Middleware {
  return async (ctx, next) => {
    const call = new Call(ctx, identify);
    ctx.state.call = call;
    ctx.res.setHeader('X-Request-Id', call.id); // Koa's own set() makes four arrays of a header
    try {
      await next();
      // what the router only left as a status, when nobody answered
      if (UNANSWERED.has(ctx.status) && ctx.body === undefined) ctx.throw(ctx.status);
    } catch (thrown) {
      answerError(ctx, call, thrown, log, tellPerson);
    }
    const ms = Math.round((performance.now() - call.began) * 100) / 100;
    const { method, status } = ctx;
    const route = call.pattern;
    const quiet = call.route?.quiet;
    meters.request(method, route, status, ms / 1000);
    const error = call.errorCode;
    const traceId = tracing === null ? undefined : tracing.request(method, route, status, ms, error);
    const line = { requestId: call.id, method, route, status, ms, error, traceId };
    if (status >= 500) log.warn(line, 'request');
    else if (quiet === true || (quiet === 'when taken' && status < 400)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}
