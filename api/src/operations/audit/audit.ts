// Writes down what administrators did: every change, and every look at people. Ids only, never an address.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { methodOf, pathOf } from '../../ground/http/route.ts';
import type { Log } from '../../ground/lib/log.ts';
import { noteLine } from '../../ground/noted.ts';
import { NO_SITE } from '../../ground/site.ts';

/** returns  what the frame calls when a noted route has ended; it never throws */
export function auditLog(db: Pool, log: Log): (call: Call, outcome: number) => Promise<void> {
  return async (call, outcome) => {
    const { siteId = NO_SITE, target = null, details = null } = call.about ?? {};
    const route = call.route!;
    await inSites(db, siteId, (client) =>
      noteLine(client, {
        siteId,
        actor: call.caller.actor,
        action: `${methodOf(route)} ${pathOf(route)}`,
        target,
        outcome,
        requestId: call.id,
        details,
      }),
    ).catch((err) =>
      log.error({ err, requestId: call.id }, 'an admin action could not be written to the audit log'),
    );
  };
}
