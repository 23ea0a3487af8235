// Serves routes that need no house: for tests of what answers without a database.
import type Koa from 'koa';
import { Call } from '../src/ground/http/call.ts';
import { clientIdentifier } from '../src/ground/http/client.ts';
import { asAppError, STATUS } from '../src/ground/http/errors.ts';
import { type FrameParts, mount, tableOf } from '../src/ground/http/frame.ts';
import type { Route } from '../src/ground/http/route.ts';
import { PEPPER } from './cluster.ts';

export function mountRoutes(app: Koa, routes: Route[]): Koa {
  const identify = clientIdentifier([], PEPPER);
  app.use(async (ctx, next) => {
    ctx.state.call = new Call(ctx, identify);
    try {
      await next();
    } catch (error) {
      ctx.status = STATUS[asAppError(error).code];
    }
  });
  mount(app, tableOf(routes, {} as FrameParts));
  return app;
}
