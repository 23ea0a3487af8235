// Who is a bot after all: an admin's verdict about a visitor, and patterns that only show later. Reversible; the days are recounted.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';

// An office behind one address has dozens of people with one browser; hundreds of them who each did one thing are a script.
const PATTERN_VISITORS_MIN = 200;
const PATTERN_SINGLE_SHARE = 0.9;
const PATTERN_HOURS = 24;

interface Changed {
  visitor_id: string;
  since: string;
}

/**
 * Marks visitors' events as a bot's, or as a human's, those to come as well (ingest_events heeds the verdict that stands);
 * what a prefetch or a quarantined form is stays what it is. Their sessions are cut anew: bots take no part in a human's.
 * returns  how many events changed, and the days that will be counted again (a sealed day stays as it is)
 */
export async function judge(
  db: Db,
  siteId: string,
  visitorIds: string[],
  reason: string | null,
  judgedBy: 'admin' | 'pattern',
  inactivityMinutes: number,
): Promise<{ events: number; days: string[] }> {
  // visitors before events, in one order, as ingestion locks them
  await db.query(
    'select from visitors where site_id = $1 and visitor_id = any ($2) order by visitor_id for update',
    [siteId, visitorIds],
  );
  await db.query(
    "update visitors set bot_verdict = coalesce($3, 'human') where site_id = $1 and visitor_id = any ($2)",
    [siteId, visitorIds, reason],
  );
  // whoever has not been here yet is known as what they are when they come
  if (judgedBy === 'admin')
    await db.query(
      `insert into visitors (site_id, visitor_id, first_seen_at, last_seen_at, bot_verdict)
       select $1, unnest($2::uuid[]), now(), now(), coalesce($3, 'human') on conflict do nothing`,
      [siteId, visitorIds, reason],
    );
  const { rows } = await db.query<{ day: string; events: number; changed: Changed[] }>(
    `with judged as (
       update events set bot_reason = $3, session_id = '00000000-0000-0000-0000-000000000000'
       where site_id = $1 and visitor_id = any ($2) and bot_reason is distinct from $3
         and coalesce(bot_reason, '') not in ('prefetch', 'spam')
       returning visitor_id, occurred_at, site_day(site_id, occurred_at) as day
     ), noted as (
       insert into bot_verdicts (site_id, visitor_id, bot_reason, judged_by, events)
       select $1, v.visitor_id, $3, $4, (select count(*) from judged j where j.visitor_id = v.visitor_id)
       from unnest($2::uuid[]) as v (visitor_id)
     ), days as (
       select day, count(*) as events from judged group by day
     ), marked as (
       -- the day before too: a session across midnight belongs to it
       insert into dirty_visits (site_id, since, until, visitor_ids)
       select $1, site_day_starts($1, day) - interval '1 ms', max(occurred_at), array_agg(distinct visitor_id) from judged group by day
     )
     select day, events, case when row_number() over (order by day) = 1 then (
       select json_agg(json_build_object('visitor_id', visitor_id, 'since', since, 'until', until) order by visitor_id)
       from (select visitor_id, min(occurred_at) as since, max(occurred_at) as until from judged group by 1) first) end as changed
     from days order by day`,
    [siteId, visitorIds, reason, judgedBy],
  );
  await db.query(
    `select recut_visitor($1, visitor_id, since, until, make_interval(mins => $3))
     from json_to_recordset($2) as changed (visitor_id uuid, since timestamptz, until timestamptz)`,
    [siteId, JSON.stringify(rows[0]?.changed ?? []), inactivityMinutes],
  );
  return { events: rows.reduce((sum, row) => sum + row.events, 0), days: rows.map((row) => row.day) };
}

/** Finds addresses with hundreds of one-event visitors of one user agent, and keeps to what an admin has decided. */
export async function judgePatterns(
  db: Pool,
  siteIds: string[],
  inactivityMinutes: number,
): Promise<{ visitors: number; events: number }> {
  const total = { visitors: 0, events: 0 };
  for (const siteId of siteIds)
    await inSites(db, siteId, async (client) => {
      // Events that came after an admin's verdict follow it.
      const { rows: decided } = await client.query<{ visitor_id: string; bot_reason: string | null }>(
        `select visitor_id, bot_reason from (
           select distinct on (visitor_id) visitor_id, bot_reason, judged_by from bot_verdicts
           where site_id = $1 and judged_by = 'admin' order by visitor_id, judged_at desc) last
         where exists (select from events e where e.site_id = $1 and e.visitor_id = last.visitor_id
           and e.occurred_at > now() - interval '2 days' and e.bot_reason is distinct from last.bot_reason
           and coalesce(e.bot_reason, '') not in ('prefetch', 'spam'))`,
        [siteId],
      );
      for (const { visitor_id, bot_reason } of decided)
        total.events += (
          await judge(client, siteId, [visitor_id], bot_reason, 'admin', inactivityMinutes)
        ).events;
      const { rows: found } = await client.query<{ visitor_id: string }>(
        `with crowds as (
           select ip_hash, ua_hash from visitors
           where site_id = $1 and ip_hash is not null and last_seen_at > now() - make_interval(hours => $4)
           group by 1, 2 having count(*) >= $2 and avg((first_seen_at = last_seen_at)::int) >= $3
         )
         select v.visitor_id from crowds join visitors v on v.site_id = $1 and v.ip_hash = crowds.ip_hash and v.ua_hash = crowds.ua_hash
         where v.first_seen_at = v.last_seen_at and v.last_seen_at > now() - make_interval(hours => $4)
           and not exists (select from bot_verdicts b where b.site_id = $1 and b.visitor_id = v.visitor_id)
           and not exists (select from lead_identities i where i.site_id = $1 and i.visitor_id = v.visitor_id)
         order by 1 limit 5000`,
        [siteId, PATTERN_VISITORS_MIN, PATTERN_SINGLE_SHARE, PATTERN_HOURS],
      );
      if (found.length === 0) return;
      const judged = await judge(
        client,
        siteId,
        found.map((row) => row.visitor_id),
        'pattern',
        'pattern',
        inactivityMinutes,
      );
      total.visitors += found.length;
      total.events += judged.events;
    });
  return total;
}
