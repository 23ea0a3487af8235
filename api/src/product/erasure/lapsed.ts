// Forgets leads whose consent lapsed, as if they had asked.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import type { Forget } from './forget.ts';

const LEADS_A_NIGHT = 5000; // of a site; the rest waits for the next night

export function forgetLapsed(
  db: Pool,
  hashAddress: (siteId: string, normalized: string) => string,
  forget: Forget,
): Ending {
  return async ({ siteIds, bound, dryRun, signal }) => {
    let lapsedLeads = 0;
    for (const siteId of siteIds) {
      const { rows } = await inSites(db, siteId, (client) =>
        client.query<{ email: string }>(
          `select email_normalized as email from leads where site_id = $1
           and consent_at(consent_status, consent_expires_at, now()) = 'expired'
           and greatest(case consent_status when 'implied' then consent_expires_at else consent_at end, last_submitted_at, imported_at) < $2 order by lead_id limit ${LEADS_A_NIGHT}`,
          [siteId, bound],
        ),
      );
      for (const { email } of rows) {
        if (signal?.aborted) break;
        if (!dryRun) await forget({ siteId, emailNormalized: email, emailHash: hashAddress(siteId, email) });
        lapsedLeads += 1;
      }
    }
    return { rows: { lapsedLeads } };
  };
}
