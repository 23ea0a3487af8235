// Every refused write has its place in the ledger, also those that never reached their route: one place that counts.
import type { Middleware } from 'koa';
import { asAppError } from '../../ground/http/errors.ts';
import type { Sites } from '../sites/recognise.ts';
import type { Ledger } from './ledger.ts';

const WRITE_ROUTES: Record<string, string> = {
  '/v1/events': 'events',
  '/v1/pixel.gif': 'pixel',
  '/v1/leads/capture': 'capture',
};

/**
 * ctx.state.write, kept by the write routes: {route, items: how many things this request still stands for when it is
 * refused as a whole (0 when they were counted already), siteId: once known}.
 */
export function account(sites: Sites, ledger: Ledger): Middleware {
  return async (ctx, next) => {
    const route = WRITE_ROUTES[ctx.path];
    if (!route || ctx.method === 'OPTIONS') return next();
    const began = performance.now();
    try {
      await next();
    } catch (thrown) {
      const error = asAppError(thrown);
      const write = ctx.state.write ?? { items: 1, siteId: undefined };
      if (write.items > 0) {
        const siteId = write.siteId ?? sites.fallback().siteId;
        ledger.refuse({ siteId, route, reason: error.code, issues: error.issues }, write.items);
      }
      throw error;
    } finally {
      ledger.time(ctx.state.write?.siteId ?? sites.fallback().siteId, performance.now() - began);
    }
  };
}
