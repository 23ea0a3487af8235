// Ends audit entries after their years; the app's role can't delete one, so PostgreSQL's own function does.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import { NO_SITE } from '../../ground/site.ts';

export function endAuditEntries(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun }) => {
    const { rows } = await inSites(db, [...siteIds, NO_SITE], (client) =>
      client.query<{ count: number }>(
        dryRun
          ? 'select count(*) as count from audit_log where at < $1 and site_id = any (current_sites())'
          : 'select purge_audit_log($1) as count',
        [bound],
      ),
    );
    return { rows: { auditEntries: Number(rows[0]!.count) } };
  };
}
