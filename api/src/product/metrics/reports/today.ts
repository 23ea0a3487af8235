// The numbers of a site's day in progress, as the summary of that day has them: from sums, so that they may be read often.
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { countLeads, findDays } from './queries.ts';
import { sum } from './sums.ts';
import { duringWindow, todayOf } from './window.ts';

export interface Today {
  day: string;
  visitors: number;
  sessions: number;
  pageViews: number;
  leads: number;
  purchases: number;
}

/** db: inside inSites of this site. */
export async function readToday(db: Db, site: Site): Promise<Today> {
  const day = todayOf(site);
  const [counted] = await findDays(db, site.siteId, day, day);
  const leads = await countLeads(db, site.siteId, day, day);
  const { rows } = await db.query<{ purchases: number }>(
    `select count(*) as purchases from conversions
     where site_id = $1 and kind = 'purchase' and voided_at is null and ${duringWindow('occurred_at')}`,
    [site.siteId, day, day],
  );
  return {
    day,
    visitors: counted?.uniqueVisitors ?? 0,
    sessions: counted?.sessions ?? 0,
    pageViews: counted?.pageViews ?? 0,
    leads: sum(leads, (row) => row.leads),
    purchases: rows[0]!.purchases,
  };
}
