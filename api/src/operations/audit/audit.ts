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
    const route = call.route!;
    const of = call.aboutSites.length > 0 ? call.aboutSites : [{}];
    const lines = of.map((one) => ({ siteId: NO_SITE, target: null, details: null, ...call.about, ...one }));
    const siteIds = [...new Set(lines.map(({ siteId }) => siteId))];
    await inSites(db, siteIds, async (client) => {
      for (const { siteId, target, details } of lines)
        await noteLine(client, {
          siteId,
          actor: call.caller.actor,
          action: `${methodOf(route)} ${pathOf(route)}`,
          target,
          outcome,
          requestId: call.id,
          details,
        });
    }).catch((err) =>
      log.error({ err, requestId: call.id }, 'an admin action could not be written to the audit log'),
    );
  };
}
