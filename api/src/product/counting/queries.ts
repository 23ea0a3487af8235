// The SQL door of what was seen of notifications. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Days } from './numbers.ts';

export interface Counts {
  impressions: number;
  viewers: number;
  clickers: number;
  dismissers: number;
}

/**
 * From the rows themselves: whoever came on two days is one viewer. Of people alone, by the same rule as the sums of days.
 * returns  by notification; none where nothing was seen
 */
export async function countSeen(
  db: Db,
  siteId: string,
  notificationIds: string[],
  { start, end }: Days,
): Promise<Map<string, Counts>> {
  const { rows } = await db.query<Counts & { id: string }>(
    `with days as materialized (
       select site_day_starts($1, $3::date) as starts, site_day_starts($1, $4::date + 1) as ends
     )
     select e.notification_id as id, (count(*) filter (where e.kind = 'shown'))::int as impressions,
       (count(distinct e.visitor_id) filter (where e.kind = 'shown'))::int as viewers,
       (count(distinct e.visitor_id) filter (where e.kind = 'clicked'))::int as clickers,
       (count(distinct e.visitor_id) filter (where e.kind = 'dismissed'))::int as dismissers
     from notification_events e left join visitors v on v.site_id = e.site_id and v.visitor_id = e.visitor_id
     where e.site_id = $1 and e.notification_id = any ($2) and judged_reason(e.bot_reason, v.bot_verdict) is null
       and e.occurred_at >= (select starts from days) and e.occurred_at < (select ends from days)
       -- it arrives within a day of when it happened (event_time): other months are not opened
       and e.created_at >= (select starts from days) - interval '1 hour' and e.created_at < (select ends from days) + interval '25 hours'
     group by e.notification_id`,
    [siteId, notificationIds, start, end],
  );
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}

/** Of days whose rows may be gone: only what adds up. */
export async function countImpressions(
  db: Db,
  siteId: string,
  notificationIds: string[],
  { start, end }: Days,
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; impressions: number }>(
    `select notification_id as id, sum(shown)::int as impressions from daily_notification_rollups
     where site_id = $1 and notification_id = any ($2) and day between $3 and $4 group by notification_id`,
    [siteId, notificationIds, start, end],
  );
  return new Map(rows.map(({ id, impressions }) => [id, impressions]));
}
