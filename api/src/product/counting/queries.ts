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
  // known before the plan is made: of bounds that are only known later it expects a handful of rows
  const bounds = await db.query<{ starts: Date; ends: Date }>(
    'select site_day_starts($1, $2::date) as starts, site_day_starts($1, $3::date + 1) as ends',
    [siteId, start, end],
  );
  const { starts, ends } = bounds.rows[0]!;
  const { rows } = await db.query<Counts & { id: string }>(
    `select id, sum(shown)::int as impressions, (count(*) filter (where shown > 0))::int as viewers,
       (count(*) filter (where clicked))::int as clickers, (count(*) filter (where dismissed))::int as dismissers
     from (
       select e.notification_id as id, count(*) filter (where e.kind = 'shown') as shown,
         bool_or(e.kind = 'clicked') as clicked, bool_or(e.kind = 'dismissed') as dismissed
       from notification_events e left join visitors v on v.site_id = e.site_id and v.visitor_id = e.visitor_id
       where e.site_id = $1 and e.notification_id = any ($2) and judged_reason(e.bot_reason, v.bot_verdict) is null
         and e.occurred_at >= $3 and e.occurred_at < $4
         -- it arrives within a day of when it happened (event_time): other months are not opened
         and e.created_at >= $3::timestamptz - interval '1 hour' and e.created_at < $4::timestamptz + interval '25 hours'
       group by e.notification_id, e.visitor_id
     ) each_visitor
     group by id`,
    [siteId, notificationIds, starts, ends],
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
