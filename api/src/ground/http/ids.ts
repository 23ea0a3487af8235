// Ids in addresses.
import type { Middleware } from 'koa';
import { AppError } from '../lib/app-error.ts';
import { isUuid } from '../lib/uuid.ts';

/** Before everything else of a route with an id in its path: whatever is no id there is nothing of ours (404). */
export function onlyIds(parameter: string): Middleware {
  return (ctx, next) => {
    if (!isUuid(ctx.params[parameter] ?? ''))
      throw new AppError('not_found', 'There is nothing at this address.');
    return next();
  };
}
