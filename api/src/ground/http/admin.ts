// The door of the admin routes: x-admin-key, compared in constant time, before anything of the request is looked at.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import { AppError } from '../lib/app-error.ts';
import type { RateLimits } from './rate-limit.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether this request carries the admin key. */
export function isAdmin(ctx: Context, adminKey: string | undefined): boolean {
  return adminKey !== undefined && timingSafeEqual(digest(ctx.get('x-admin-key')), digest(adminKey));
}

/** throws admin_auth_not_configured, unauthorized, or rate_limited after ten failures in a minute */
export function requireAdmin(adminKey: string | undefined, limits: RateLimits): Middleware {
  return async (ctx, next) => {
    if (adminKey === undefined) {
      throw new AppError(
        'admin_auth_not_configured',
        'Set ADMIN_API_KEY (24 characters or more) and start again to use the admin routes.',
      );
    }
    await limits.check(ctx, 'admin_failure');
    if (!isAdmin(ctx, adminKey)) {
      await limits.take(ctx, 'admin_failure');
      throw new AppError('unauthorized', 'Send the admin key in the x-admin-key header.');
    }
    return next();
  };
}
