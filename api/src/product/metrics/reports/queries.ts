// The SQL door of what several reports read. Every statement runs inside a transaction of inSites and names its site.
import type { Db } from '../../../ground/db/pool.ts';
import type { Histogram } from '../../../ground/lib/histogram.ts';
import type { Paid } from './headline.ts';
import { duringWindow } from './window.ts';

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
  bounces: number;
  engagedMs: number;
  sessionsBySource: Record<string, number>;
  vitals: Record<string, Histogram>;
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  rejectedByReason: Record<string, number>;
  latencies: Histogram;
  sealed: boolean;
  /** Counted before the site's zone was changed. */
  inOtherZone: boolean;
  /** Minutes of the day that should have had service and hadn't; 0 before the installation and for what is still to come. */
  minutesWithoutService: number;
}

// the usual case without a call of a function for each day
const startOf = (day: string) =>
  `case when zone = 'UTC' then (${day})::timestamp at time zone 'UTC' else day_starts(${day}, zone) end`;

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
       coalesce(m.bounces, 0) as bounces, coalesce(m.engaged_ms, 0) as "engagedMs",
       coalesce(m.sessions_by_source, '{}') as "sessionsBySource", case when $4 or day >= $5::date then case when $4 then coalesce(m.vitals, '{}') else jsonb_build_object('ttfb', m.vitals -> 'ttfb') end else '{}' end as vitals,
       coalesce(i.received, 0) as received, coalesce(i.accepted, 0) as accepted, coalesce(i.duplicate, 0) as duplicate,
       coalesce(i.rejected, 0) as rejected, coalesce(i.rejected_by_reason, '{}') as "rejectedByReason", case when $4 or day >= $5::date then coalesce(i.latencies, '{}') else '{}' end as latencies,
       s.sealed_at is not null as sealed,
       coalesce(s.time_zone <> zone, false) as "inOtherZone",
       greatest(0, coalesce(floor(extract(epoch from least(ends, now()) - greatest(starts, coalesce(installed_at, now()))) / 60)::int, 0)
         - coalesce((
           -- the service's days are UTC's
           select sum(bit_count(substring(minutes from first + 1 for greatest(0, least(1440, last) - first))))::int
           from (select minutes, greatest(0, extract(epoch from starts - v.day::timestamp at time zone 'UTC')::int / 60) as first,
               extract(epoch from ends - v.day::timestamp at time zone 'UTC')::int / 60 as last
             from service_days v where v.day between (starts at time zone 'UTC')::date and (ends at time zone 'UTC')::date) served), 0)) as "minutesWithoutService"
     from (
       select day::date as day, zone, ${startOf('day::date')} as starts, ${startOf('day::date + 1')} as ends
       from (select site_zone($1) as zone) site cross join generate_series($2::date, $3::date, interval '1 day') day
     ) days
     cross join (select (select day::timestamp at time zone 'UTC' + (position(B'1' in minutes) - 1) * interval '1 minute'
       from service_days order by day limit 1) as installed_at) installed
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
export const LEAD_FACTS = factsBy('first_captured_at');

/** The same of the leads to whom something else happened in the window. */
export function factsBy(moment: 'first_captured_at' | 'signed_up_at' | 'activated_at'): string {
  return `
  with changed as materialized (select lead_id from marked_leads($1, null) as m (lead_id))
  select f.* from lead_facts f
  where f.site_id = $1 and ${duringWindow(`f.${moment}`)} and not exists (select from changed c where c.lead_id = f.lead_id)
  union all
  select g.* from (select array_agg(lead_id) as leads from changed) c cross join lateral gather_lead_facts($1, c.leads) g
  where ${duringWindow(`g.${moment}`)}`;
}

/** Leads by the day of their first capture; those who were only imported did not come from the site's forms. */
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
  /** Of those, without an id of their own: nobody can know whether they were there on another day. */
  dayVisitors: number;
  /** Of the others, seen on an earlier day than the window's first. */
  returning: number;
  /** Of the others, never seen before, on a day from which on a longer absence inside the window would have been forgotten. */
  perhaps: number;
  visitorsBefore: number;
  dayVisitorsBefore: number;
  returningBefore: number;
  spend: Paid[];
  /** What was bought and not voided, by the day it was. */
  bought: (Paid & { purchases: number })[];
  rolledUpThrough: string | null;
  /** Days from there to the site's today. */
  lagDays: number | null;
  generatedAt: Date | null;
  /** The earliest day that had a human event. */
  firstDay: string | null;
  /** Whether an address was ever verified on this site. */
  everVerified: boolean;
}

/**
 * What a summary needs beside its days and leads, in one round trip: distinct visitors, money, freshness, what is known.
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
    `select coalesce(sum(visitors), 0)::bigint as visitors, coalesce(sum(day_visitors), 0)::bigint as day_visitors,
       coalesce(sum(visitors - day_visitors) filter (where previous_day is not null), 0)::bigint as returning,
       coalesce(sum(visitors - day_visitors) filter (where previous_day is null and day >= $6::date), 0)::bigint as perhaps
     from visitor_returns where site_id = $1 and day between ${from} and ${to} and (previous_day is null or previous_day < ${from})`;
  const { rows } = await db.query<Rest>({
    name: 'metric_rest',
    text: `select now.visitors, now.day_visitors as "dayVisitors", now.returning, now.perhaps, base.visitors as "visitorsBefore",
       base.day_visitors as "dayVisitorsBefore", base.returning as "returningBefore",
       coalesce((select json_agg(paid) from (select day, currency, sum(amount)::text as amount from ad_spend
         where site_id = $1 and day between coalesce($4::date, $2::date) and $3::date group by 1, 2 order by 1, 2) paid), '[]') as spend,
       coalesce((select json_agg(sold) from (select site_day($1, occurred_at) as day, coalesce(currency, '') as currency,
           coalesce(sum(amount), 0)::text as amount, count(*) as purchases
         from conversions where site_id = $1 and kind = 'purchase' and voided_at is null and ${duringWindow('occurred_at')}
         group by 1, 2 order by 1, 2) sold), '[]') as bought,
       (select min(day) from daily_metric_rollups where site_id = $1 and human_events > 0) as "firstDay",
       exists (select from daily_metric_rollups where site_id = $1 and email_verifies > 0)
         or exists (select from lead_facts where site_id = $1 and verified_at is not null) as "everVerified",
       latest.day as "rolledUpThrough", today - latest.day as "lagDays", latest.rolled_up_at as "generatedAt"
     from (select site_day($1, now()) as today) now_there
     left join lateral (select * from rollup_state where site_id = $1 and day <= today order by day desc limit 1) latest on true, (${distinct('$2::date', '$3::date')}) now, (${distinct('$4::date', '$5::date')}) base`,
    values: [siteId, window.from, window.to, before?.from ?? null, before?.to ?? null, surelyKnownBefore],
  });
  return rows[0]!;
}
