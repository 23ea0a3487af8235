// Ends chains of permissions to be named, of people who are gone; the app's role can't delete a record, so PostgreSQL's own
// function does.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Ending } from '../../ground/retention/purge.ts';

export function endDisplays(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun, signal }) => {
    let displayConsents = 0;
    for (const siteId of siteIds)
      for (let bite = 1; bite > 0 && !signal?.aborted; ) {
        bite = await inSites(db, siteId, async (client) => {
          const { rows } = await client.query<{ count: number }>(
            dryRun
              ? `select coalesce(sum(records), 0) as count from (
                   select count(*) as records from display_consents r where r.site_id = $1
                     and not exists (select from leads l where l.site_id = $1 and l.lead_id = r.lead_id)
                   group by r.lead_id having max(r.recorded_at) < $2) chains`
              : 'select purge_display_consents($1, $2) as count',
            [siteId, bound],
          );
          return Number(rows[0]!.count);
        });
        displayConsents += bite;
        if (dryRun) break;
      }
    return { rows: { displayConsents } };
  };
}
