// The numbers hour by hour, from raw rows: by the same definition of a visit as the days', so hours add up to their day.
import type { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { AppError } from '../../../ground/lib/app-error.ts';
import { addDays, dayOf, daysIn } from '../../../ground/lib/days.ts';
import type { Site } from '../../../ground/site.ts';
import { isWhole } from '../../segments/filters.ts';
import { conditionsSql, Values } from './filters.ts';
import { visitsOf } from './headline.ts';
import { LEAD_FACTS } from './queries.ts';
import type { Facts } from './report.ts';
import type { seriesRow } from './timeseries.ts';
import { happened, type Window } from './window.ts';

export const HOUR_DAYS_MAX = 3;

interface HourRow {
  at: string;
  until: string;
  day: string;
  uniqueVisitors: number;
  returningVisitors: number;
  pageViews: number;
  sessions: number;
  entrances: number;
  landingConversions: number;
  bounces: number;
  engagedMs: number;
  formsStarted: number;
  formsSubmitted: number;
  newLeads: number;
  leadsVerified: number;
  leadsSignedUp: number;
  botEvents: number;
  isNow: boolean;
}

// an hour of a day is counted from its beginning, so that one that the clock shows twice is two
const hourOf = (moment: string, starts: string) =>
  `${starts} + floor(extract(epoch from ${moment} - ${starts}) / 3600) * interval '1 hour'`;

const hoursSql = (open: string) => `with days as materialized (
    select d.day::date as day, r.starts, r.ends from generate_series($2::date, $3::date, interval '1 day') d (day)
    cross join lateral rolled_range($1, d.day::date) r
  ), visits as materialized (
    select f.day, f.visitor_id, f.session_id, f.begun, f.landing, f.converted, f.bounced, f.engaged_ms, d.starts, d.ends,
      cardinality(array_positions(f.kinds, 'form')) as forms_started,
      (select coalesce(sum(n.conversions), 0) from unnest(f.kinds, f.name_conversions) n (kind, conversions) where n.kind = 'form') as forms_submitted
    from days d cross join lateral gather_visit_facts($1, d.day, d.starts, d.ends, null) f where f.begun is not null and ${open}
  ), did as materialized (
    select v.day, v.visitor_id, v.session_id, e.event_type, e.occurred_at, ${hourOf('e.occurred_at', 'v.starts')} as at
    from events e join visits v on v.visitor_id = e.visitor_id and v.session_id = e.session_id and e.occurred_at >= v.starts and e.occurred_at < v.ends
    where e.site_id = $1 and e.occurred_at >= (select min(starts) from days) and e.occurred_at < (select max(ends) from days) and e.bot_reason is null
  ), there as (
    select d.at, count(*) as visitors, count(*) filter (where p.first_human_at < d.at and not p.is_day_visitor) as returning
    from (select distinct at, visitor_id from did) d
    left join visitors p on p.site_id = $1 and p.visitor_id = d.visitor_id group by 1
  ), viewed as (
    select at, count(*) as views from did where event_type = 'page_view' group by 1
  ), begun as (
    -- a visit is of the hour of its first event
    select first.at, count(*) as sessions, count(v.landing) as entrances, sum(v.converted) as converted, sum(v.bounced) filter (where v.landing is not null) as bounces,
      sum(v.engaged_ms) filter (where v.landing is not null) as engaged_ms, sum(v.forms_started) as forms_started, sum(v.forms_submitted) as forms_submitted
    from visits v join (select day, session_id, min(at) as at from did group by 1, 2) first using (day, session_id)
    where v.begun = 1 group by 1
  ), captured as (
    select ${hourOf('l.first_captured_at', 'd.starts')} as at, count(*) as leads, count(l.verified_at) as verified, count(l.signed_up_at) as signed_up
    from (${LEAD_FACTS}) l join days d on l.first_captured_at >= d.starts and l.first_captured_at < d.ends group by 1
  ), bots as (
    select ${hourOf('e.occurred_at', 'd.starts')} as at, count(*) as events
    from events e join days d on e.occurred_at >= d.starts and e.occurred_at < d.ends
    where e.site_id = $1 and e.occurred_at >= (select min(starts) from days) and e.occurred_at < (select max(ends) from days)
      and e.bot_reason is not null and e.bot_reason <> 'staff' group by 1
  )
  select instant_text(h.at) as at, instant_text(least(h.at + interval '1 hour', d.ends)) as until, d.day::text as day,
    coalesce(t.visitors, 0) as "uniqueVisitors", coalesce(t.returning, 0) as "returningVisitors", coalesce(w.views, 0) as "pageViews",
    coalesce(b.sessions, 0) as sessions, coalesce(b.entrances, 0) as entrances, coalesce(b.converted, 0)::bigint as "landingConversions",
    coalesce(b.bounces, 0)::bigint as bounces, coalesce(b.engaged_ms, 0)::bigint as "engagedMs", coalesce(b.forms_started, 0)::bigint as "formsStarted",
    coalesce(b.forms_submitted, 0)::bigint as "formsSubmitted", coalesce(c.leads, 0) as "newLeads", coalesce(c.verified, 0) as "leadsVerified",
    coalesce(c.signed_up, 0) as "leadsSignedUp", coalesce(o.events, 0) as "botEvents", h.at + interval '1 hour' > now() as "isNow"
  from days d cross join lateral generate_series(d.starts, d.ends - interval '1 millisecond', interval '1 hour') h (at)
  left join there t on t.at = h.at left join viewed w on w.at = h.at left join begun b on b.at = h.at
  left join captured c on c.at = h.at left join bots o on o.at = h.at
  where h.at <= now() order by h.at`;

/** throws  invalid_request: at most three days, of those whose raw rows are kept */
export async function readHours(
  db: Db,
  site: Site,
  window: Window,
  { selection = [], retentionDays }: Facts,
): Promise<z.output<typeof seriesRow>[]> {
  if (daysIn(window.from, window.to) > HOUR_DAYS_MAX)
    throw new AppError('invalid_request', `Hours are counted for ${HOUR_DAYS_MAX} days at most.`, {
      issues: [{ path: 'to', message: `with interval=hour at most ${HOUR_DAYS_MAX} days from from` }],
    });
  const first = addDays(dayOf(Date.now()), -retentionDays);
  if (window.from < first)
    throw new AppError(
      'invalid_request',
      `Hours are counted from raw events, which are kept for ${retentionDays} days: ask from ${first} on, or by day.`,
      { issues: [{ path: 'from', message: `with interval=hour not before ${first}` }] },
    );
  const past = happened(site, window);
  const values = new Values();
  for (const value of [site.siteId, past.from, past.to]) values.put(value);
  const { open } = conditionsSql(selection, values);
  const isOfAll = isWhole(selection);
  const { rows } = await db.query<HourRow>(hoursSql(open), values.all);
  return rows.map(({ at, until, day, isNow, bounces, engagedMs, ...told }) => ({
    ...told,
    at,
    until,
    from: day,
    to: day,
    ...visitsOf([{ ...told, bounces, engagedMs }]),
    newLeads: isOfAll ? told.newLeads : null,
    leadsVerified: isOfAll ? told.leadsVerified : null,
    leadsSignedUp: isOfAll ? told.leadsSignedUp : null,
    botEvents: isOfAll ? told.botEvents : null,
    eventsAccepted: null,
    eventsRejected: null,
    partial: isNow,
  }));
}
