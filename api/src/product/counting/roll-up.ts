// Keeps the numbers of notifications up to date: a day is counted again from its rows while these are kept.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';

interface Work {
  db: Pool;
  sites: { ids(): string[] };
}

/**
 * Counts the last days of every site that has rows of them.
 * days     how many, today's included; older ones stay as they are
 * returns  how many sites, and how many rows of numbers were written
 */
export async function rollUpNotifications(
  { db, sites }: Work,
  days: number,
): Promise<{ sites: number; rows: number }> {
  const ids = sites.ids();
  if (ids.length === 0) return { sites: 0, rows: 0 };
  const { rows: active } = await inSites(db, ids, (tx) =>
    tx.query<{ site_id: string }>(
      `select s.site_id from unnest($1::uuid[]) as s (site_id)
       where exists (select from notification_events e where e.site_id = s.site_id and e.occurred_at > now() - make_interval(days => $2))`,
      [ids, days],
    ),
  );
  let rows = 0;
  for (const { site_id: siteId } of active)
    await inSites(db, siteId, async (tx) => {
      const { rows: written } = await tx.query<{ rows: number }>(
        'select roll_up_notifications($1, site_day($1, now()) - ($2::integer - 1), site_day($1, now()) + 1) as rows',
        [siteId, days],
      );
      rows += written[0]!.rows;
    });
  return { sites: active.length, rows };
}
