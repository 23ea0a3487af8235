// The SQL door of metrics. Every statement runs inside a transaction of inSites and names its site.
import type { Db } from '../../ground/db/pool.ts';
import type { Histogram } from './histogram.ts';

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

export interface DayRow {
  day: string;
  humanEvents: number;
  pageViews: number;
  uniqueVisitors: number;
  sessions: number;
  entrances: number;
  landingConversions: number;
  formsStarted: number;
  formsSubmitted: number;
  emailVerifies: number;
  botEvents: number;
  botsByReason: Record<string, number>;
  clampedEvents: number;
  lateEvents: number;
  sessionsBySource: Record<string, number>;
  vitals: Record<string, Histogram>;
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  rejectedByReason: Record<string, number>;
  latencies: Histogram;
  sealed: boolean;
  /** Minutes of the day that should have had service and hadn't; 0 before the installation and for what is still to come. */
  minutesWithoutService: number;
}

/**
 * One row for each day of the window, ascending.
 * histograms  'all', 'none', or the day from which the histograms of ttfb and server time are wanted: they are most of
 *             what is sent, and a window that is only compared with needs none
 */
export async function findDays(
  db: Db,
  siteId: string,
  from: string,
  to: string,
  histograms: 'all' | 'none' | { since: string } = 'none',
): Promise<DayRow[]> {
  const since = typeof histograms === 'object' ? histograms.since : null;
  const { rows } = await db.query<DayRow>({
    name: 'metric_days',
    text: `select day, coalesce(m.human_events, 0) as "humanEvents", coalesce(m.page_views, 0) as "pageViews",
       coalesce(m.unique_visitors, 0) as "uniqueVisitors", coalesce(m.sessions, 0) as sessions, coalesce(m.entrances, 0) as entrances,
       coalesce(m.landing_conversions, 0) as "landingConversions", coalesce(m.forms_started, 0) as "formsStarted",
       coalesce(m.forms_submitted, 0) as "formsSubmitted", coalesce(m.email_verifies, 0) as "emailVerifies",
       coalesce(m.bot_events, 0) as "botEvents", coalesce(m.bots_by_reason, '{}') as "botsByReason",
       coalesce(m.clamped_events, 0) as "clampedEvents", coalesce(m.late_events, 0) as "lateEvents",
       coalesce(m.sessions_by_source, '{}') as "sessionsBySource", case when $4 or day >= $5::date then case when $4 then coalesce(m.vitals, '{}') else jsonb_build_object('ttfb', m.vitals -> 'ttfb') end else '{}' end as vitals,
       coalesce(i.received, 0) as received, coalesce(i.accepted, 0) as accepted, coalesce(i.duplicate, 0) as duplicate,
       coalesce(i.rejected, 0) as rejected, coalesce(i.rejected_by_reason, '{}') as "rejectedByReason", case when $4 or day >= $5::date then coalesce(i.latencies, '{}') else '{}' end as latencies,
       s.sealed_at is not null as sealed,
       case when first_day is null or day < first_day or day > (now() at time zone 'UTC')::date then 0 else greatest(0,
         least(1440, floor(extract(epoch from (now() at time zone 'UTC') - day::timestamp) / 60)::int)
         - case when day = first_day then installed.minute else 0 end
         - coalesce((select bit_count(minutes) from service_days v where v.day = days.day), 0)) end as "minutesWithoutService"
     from (select generate_series($2::date, $3::date, interval '1 day')::date as day) days
     cross join (select min(day) as first_day, (select position(B'1' in minutes) - 1 from service_days order by day limit 1) as minute from service_days) installed
     left join (select * from daily_metric_rollups where site_id = $1) m using (day)
     left join (select * from daily_ingest_rollups where site_id = $1) i using (day)
     left join (select * from rollup_state where site_id = $1) s using (day)
     order by day`,
    values: [siteId, from, to, histograms === 'all', since],
  });
  return rows;
}

export interface LeadDay {
  day: string;
  leads: number;
  verified: number;
  signedUp: number;
  activated: number;
  /** Sum of the hours from first seen to first capture, and of how many leads that is known. */
  hours: number;
  timed: number;
}

/**
 * Leads first captured in the window ($1 site, $2 from, $3 to) and what became of each: rows of lead_facts, the one
 * definition that headline, breakdowns, cohorts, attribution and drill-down share. A lead that changed since its facts
 * were kept is gathered from its sources, so an answer is never older than the question.
 */
export const LEAD_FACTS = `
  with changed as materialized (select lead_id from marked_leads($1, null) as m (lead_id))
  select f.* from lead_facts f
  where f.site_id = $1 and f.first_captured_at >= $2::date::timestamp at time zone 'UTC'
    and f.first_captured_at < ($3::date + 1)::timestamp at time zone 'UTC'
    and not exists (select from changed c where c.lead_id = f.lead_id)
  union all
  select g.* from (select array_agg(lead_id) as leads from changed) c cross join lateral gather_lead_facts($1, c.leads) g
  where g.day between $2::date and $3::date`;

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

/** Leads by the day of their first capture; imported ones did not come from the site's forms and are left out. */
export async function countLeads(db: Db, siteId: string, from: string, to: string): Promise<LeadDay[]> {
  const { rows } = await db.query<LeadDay>({
    name: 'metric_leads',
    text: `select day, count(*) as leads, count(verified_at) as verified, count(signed_up_at) as "signedUp",
       count(activated_at) as activated, coalesce(sum(hours), 0) as hours, count(hours) as timed
     from (${LEAD_FACTS}) facts group by day order by day`,
    values: [siteId, from, to],
  });
  return rows;
}

export interface Rest {
  visitors: number;
  /** Of those, seen on an earlier day than the window's first. */
  returning: number;
  /** Of those, never seen before, on a day from which on a longer absence inside the window would have been forgotten. */
  perhaps: number;
  visitorsBefore: number;
  returningBefore: number;
  spend: { day: string; currency: string; amount: number }[];
  rolledUpThrough: string | null;
  generatedAt: Date | null;
}

/**
 * What a summary needs beside its days and leads, in one round trip: distinct visitors, spend, freshness.
 * before             may be absent
 * surelyKnownBefore  day up to which every earlier day of the window was still known when it was rolled up
 */
export async function findRest(
  db: Db,
  siteId: string,
  window: { from: string; to: string },
  before: { from: string; to: string } | null,
  surelyKnownBefore: string,
): Promise<Rest> {
  const distinct = (from: string, to: string) =>
    `select coalesce(sum(visitors), 0)::bigint as visitors, coalesce(sum(visitors) filter (where previous_day is not null), 0)::bigint as returning,
       coalesce(sum(visitors) filter (where previous_day is null and day >= $6::date), 0)::bigint as perhaps
     from visitor_returns where site_id = $1 and day between ${from} and ${to} and (previous_day is null or previous_day < ${from})`;
  const { rows } = await db.query<Rest>({
    name: 'metric_rest',
    text: `select now.visitors, now.returning, now.perhaps, base.visitors as "visitorsBefore", base.returning as "returningBefore",
       coalesce((select json_agg(paid) from (select day, currency, sum(amount)::float8 as amount from ad_spend
         where site_id = $1 and day between coalesce($4::date, $2::date) and $3::date group by 1, 2 order by 1, 2) paid), '[]') as spend,
       (select day from rollup_state where site_id = $1 order by day desc limit 1) as "rolledUpThrough",
       (select rolled_up_at from rollup_state where site_id = $1 order by day desc limit 1) as "generatedAt"
     from (${distinct('$2::date', '$3::date')}) now, (${distinct('$4::date', '$5::date')}) base`,
    values: [siteId, window.from, window.to, before?.from ?? null, before?.to ?? null, surelyKnownBefore],
  });
  return rows[0]!;
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
