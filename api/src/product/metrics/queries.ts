// The SQL door of the rollups. Every statement runs inside a transaction of inSites and names its site.
import type { Db } from '../../ground/db/pool.ts';

export async function rollUpDay(db: Db, siteId: string, day: string): Promise<'rolled' | 'sealed'> {
  const { rows } = await db.query<{ outcome: 'rolled' | 'sealed' }>('select roll_up_day($1, $2) as outcome', [
    siteId,
    day,
  ]);
  return rows[0]!.outcome;
}

/**
 * Days to be rolled up now, ascending: marked ones, today when its ledger moved, and each day since the last rollup
 * that was not rolled up after it had ended.
 */
export async function dueDays(db: Db, siteId: string, today: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `with since as (
       select coalesce((select max(day) from rollup_state where site_id = $1),
         (select min(day) from ingest_ledger where site_id = $1), $2::date) as first
     )
     select day from dirty_days where site_id = $1 and day <= $2
     union
     select d.day::date from since, generate_series(least(first, $2::date), $2::date, interval '1 day') d (day)
     left join rollup_state s on s.site_id = $1 and s.day = d.day::date
     where s.day is null or (s.sealed_at is null and s.rolled_up_at < (d.day::date + 1)::timestamp at time zone 'UTC' and (d.day::date < $2
       or s.ledger_seen <> coalesce((select sum(count) from ingest_ledger l where l.site_id = $1 and l.day = d.day::date), 0)
         + coalesce((select sum(count) from ingest_latencies l where l.site_id = $1 and l.day = d.day::date), 0)))
     order by day`,
    [siteId, today],
  );
  return rows.map((row) => row.day);
}

/** returns null when the day has no rollup, is sealed, waits to be redone, or has no partition of raw rows any more */
export async function compareDay(
  db: Db,
  siteId: string,
  day: string,
): Promise<{ number: string; raw: number; rollup: number }[] | null> {
  const { rows } = await db.query<{ number: string; raw: number; rollup: number }>(
    `select number, raw::float8, rollup::float8 from (
       select m.*, (select coalesce(sum(visitors), 0) from visitor_returns r where r.site_id = $1 and r.day = $2) as returns,
         (select coalesce(sum(events), 0) from daily_breakdowns b where b.site_id = $1 and b.day = $2 and b.kind = 'event') as named_events,
         (select coalesce(sum(accepted), 0) from daily_ingest_rollups i where i.site_id = $1 and i.day = $2) as accepted
       from daily_metric_rollups m join rollup_state s using (site_id, day)
       where site_id = $1 and day = $2 and s.sealed_at is null
         and to_regclass('public.events_' || to_char($2::date, 'YYYYMMDD')) is not null
         and not exists (select from dirty_days d where d.site_id = $1 and d.day = $2)
         -- its sessions may have begun on a day whose raw rows are gone
         and not exists (select from rollup_state z where z.site_id = $1 and z.day = $2::date - 1 and z.sealed_at is not null)
     ) m, (
       select count(*) filter (where bot_reason is null) as human, count(*) filter (where bot_reason is not null) as bots,
         count(*) filter (where bot_reason is null and event_type = 'page_view') as views,
         count(distinct visitor_id) filter (where bot_reason is null) as visitors
       from events where site_id = $1 and occurred_at >= $2::date::timestamp at time zone 'UTC' and occurred_at < ($2::date + 1)::timestamp at time zone 'UTC'
     ) e, (
       select count(*) as sessions from (
         select distinct session_id, visitor_id from events
         where site_id = $1 and bot_reason is null
           and occurred_at >= $2::date::timestamp at time zone 'UTC' and occurred_at < ($2::date + 1)::timestamp at time zone 'UTC'
       ) present
       where not exists (select from events before where before.site_id = $1 and before.visitor_id = present.visitor_id
         and before.session_id = present.session_id and before.bot_reason is null
         and before.occurred_at < $2::date::timestamp at time zone 'UTC')
     ) s, (
       select coalesce(sum(count) filter (where outcome = 'accepted'), 0) as accepted from ingest_ledger where site_id = $1 and day = $2
     ) l
     cross join lateral (values
       ('human_events', e.human, m.human_events), ('bot_events', e.bots, m.bot_events), ('page_views', e.views, m.page_views),
       ('unique_visitors', e.visitors, m.unique_visitors), ('returns', e.visitors, m.returns), ('events_by_name', e.human, m.named_events),
       ('sessions', s.sessions, m.sessions), ('accepted', l.accepted, m.accepted)
     ) as compared (number, raw, rollup)`,
    [siteId, day],
  );
  return rows.length > 0 ? rows : null;
}

export interface LedgerDay {
  siteId: string;
  day: string;
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
}

/** Every site day of the ledger, of the sites that the transaction sees, and those that do not balance. */
export async function findImbalances(
  db: Db,
  from: string,
  to: string,
): Promise<{ days: number; unbalanced: LedgerDay[] }> {
  const { rows } = await db.query<{ days: number; unbalanced: LedgerDay[] }>(
    `with days as (
       select site_id as "siteId", day, coalesce(sum(count) filter (where outcome = 'received'), 0) as received,
         coalesce(sum(count) filter (where outcome = 'accepted'), 0) as accepted,
         coalesce(sum(count) filter (where outcome = 'duplicate'), 0) as duplicate,
         coalesce(sum(count) filter (where outcome = 'rejected'), 0) as rejected
       from ingest_ledger where day between $1 and $2 group by 1, 2
     )
     select count(*) as days, coalesce(json_agg(days order by day, "siteId") filter (where received <> accepted + duplicate + rejected), '[]') as unbalanced
     from days`,
    [from, to],
  );
  return rows[0]!;
}

// Some milliseconds a bite; captures wait for none of it.
const FACTS_BITE = 1000;

/** Brings the kept facts of leads up to date, a bounded bite. returns whether there may be more to do */
export async function refreshLeadFacts(db: Db, siteId: string): Promise<boolean> {
  const { rows } = await db.query<{ marks: number }>('select refresh_lead_facts($1, $2) as marks', [
    siteId,
    FACTS_BITE,
  ]);
  return rows[0]!.marks >= FACTS_BITE;
}

/** The worst of these sites; what the last comparison with raw rows and the last look at the ledger found. */
export async function findRollupStatus(
  db: Db,
): Promise<{ rolledUpThrough: string | null; discrepancies: number | null; imbalances: number | null }> {
  const { rows } = await db.query<{
    rolledUpThrough: string | null;
    discrepancies: number | null;
    imbalances: number | null;
  }>(
    `select (select min(through) from (select max(day) as through from rollup_state group by site_id) sites) as "rolledUpThrough",
       (select (result ->> 'discrepancies')::int from job_runs where job = 'discrepancy' and state = 'succeeded'
        order by started_at desc limit 1) as discrepancies,
       (select (result ->> 'imbalances')::int from job_runs where job = 'ledger' and state = 'succeeded'
        order by started_at desc limit 1) as imbalances`,
  );
  return rows[0]!;
}
