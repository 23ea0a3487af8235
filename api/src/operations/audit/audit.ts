// Writes down what administrators did: every change, and every look at people. Ids only, never an address.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { methodOf, pathOf } from '../../ground/http/route.ts';
import type { Log } from '../../ground/lib/log.ts';
import { NO_SITE } from '../../ground/site.ts';

/** returns  what the frame calls when a noted route has ended; it never throws */
export function auditLog(db: Pool, log: Log): (call: Call, outcome: number) => Promise<void> {
  return async (call, outcome) => {
    const { siteId = NO_SITE, target = null, details = null } = call.about ?? {};
    const route = call.route!;
    await inSites(db, siteId, (client) =>
      client.query(
        'insert into audit_log (site_id, actor, action, target, outcome, request_id, details) values ($1, $2, $3, $4, $5, $6, $7)',
        [
          siteId,
          call.caller.actor,
          `${methodOf(route)} ${pathOf(route)}`,
          target,
          outcome,
          call.id,
          details && JSON.stringify(details),
        ],
      ),
    ).catch((err) =>
      log.error({ err, requestId: call.id }, 'an admin action could not be written to the audit log'),
    );
  };
}
