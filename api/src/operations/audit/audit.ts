// Writes down what administrators did: every change, and every look at personal data. Ids only, never an address.
import type { Context, Middleware } from 'koa';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { asAppError, STATUS } from '../../ground/http/errors.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../product/sites/queries.ts';
import type { Sites } from '../../product/sites/recognise.ts';

/** For actions that belong to no site. */
export const NO_SITE = '00000000-0000-0000-0000-000000000000';

/** A route notes here whom its action was about. */
export function aboutWhom(
  ctx: Context,
  about: { siteId?: string; target?: string | null; details?: Record<string, unknown> },
): void {
  ctx.state.audit = { ...ctx.state.audit, ...about };
}

/** The site that an admin's action is for, noted as such. */
export async function siteOf(ctx: Context, sites: Sites, propertyId: string | undefined): Promise<Site> {
  const site = await sites.recognise(ctx, propertyId);
  aboutWhom(ctx, { siteId: site.siteId });
  return site;
}

const isNoted = (ctx: Context) =>
  ctx.method !== 'GET' || /^\/v1\/(leads|admin\/(quarantine|audit-log|breaches))/.test(ctx.path);

/** Stands behind the admin door. pool null: the database is not there yet, so nothing could be done either. */
export function audit(pool: () => Pool | null, log: Log): Middleware {
  return async (ctx, next) => {
    if (!isNoted(ctx)) return next();
    let outcome = 500;
    try {
      await next();
      outcome = ctx.status;
    } catch (error) {
      outcome = STATUS[asAppError(error).code];
      throw error;
    } finally {
      const { siteId = NO_SITE, target = null, details = null } = ctx.state.audit ?? {};
      const db = pool();
      if (db) {
        await inSites(db, siteId, (client) =>
          client.query(
            'insert into audit_log (site_id, actor, action, target, outcome, request_id, details) values ($1, $2, $3, $4, $5, $6, $7)',
            [
              siteId,
              'admin_key',
              `${ctx.method} ${typeof ctx._matchedRoute === 'string' ? ctx._matchedRoute : 'unknown'}`,
              target,
              outcome,
              ctx.state.requestId,
              details && JSON.stringify(details),
            ],
          ),
        ).catch((err) =>
          log.error(
            { err, requestId: ctx.state.requestId },
            'an admin action could not be written to the audit log',
          ),
        );
      }
    }
  };
}
