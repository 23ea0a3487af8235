// Ends what visitors saw of notifications: whole months as partitions, and of the month that goes on what is older than kept.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { dayOf } from '../../ground/lib/days.ts';
import type { Ending } from '../../ground/retention/purge.ts';

const BITE_ROWS = 5000;

export function endMonths(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun, signal }) => {
    const count = await inSites(db, siteIds, async (tx) => {
      const { rows } = await tx.query<{ count: number }>(
        'select count(*)::int as count from notification_events where site_id = any (current_sites()) and created_at < $1',
        [bound],
      );
      return rows[0]!.count;
    });
    if (dryRun || count === 0) return { rows: { notification_events: count } };
    await inSites(db, siteIds, async (tx) => {
      await tx.query("set local lock_timeout = '5s'");
      await tx.query('select drop_notification_partitions($1)', [dayOf(bound)]);
    });
    for (;;) {
      if (signal?.aborted) break;
      const { rowCount } = await inSites(db, siteIds, (tx) =>
        tx.query(
          `delete from notification_events e using (
             select site_id, visitor_id, created_at, event_id from notification_events
             where site_id = any (current_sites()) and created_at < $1 limit ${BITE_ROWS}
           ) old
           where e.site_id = old.site_id and e.visitor_id = old.visitor_id and e.created_at = old.created_at and e.event_id = old.event_id
             and e.created_at < $1`,
          [bound],
        ),
      );
      if ((rowCount ?? 0) < BITE_ROWS) break;
    }
    return { rows: { notification_events: count } };
  };
}
