// The reports beside the summary: series, breakdowns, cohorts, quality, realtime, and the leads behind a number.
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { addDays } from '../../ground/lib/days.ts';
import type { Site } from '../../ground/site.ts';
import { type Histogram, merge, percentile } from './histogram.ts';
import { countLeads, findDays, LEAD_FACTS } from './queries.ts';
import { ratio } from './summary.ts';

type Row = Record<string, unknown>;
const sum = <T>(list: T[], of: (item: T) => number) => list.reduce((total, item) => total + of(item), 0);

/** Monday of the ISO week. */
export const weekOf = (day: string): string => {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -weekday);
};
const startOf = (day: string, interval: 'day' | 'week' | 'month') =>
  interval === 'day' ? day : interval === 'week' ? weekOf(day) : `${day.slice(0, 7)}-01`;

/** Every interval of the window, zero-filled; visitors are distinct within each. */
export async function timeseries(
  db: Db,
  site: Site,
  { from, to, interval }: { from: string; to: string; interval: 'day' | 'week' | 'month' },
): Promise<Row> {
  const days = await findDays(db, site.siteId, from, to);
  const leads = new Map((await countLeads(db, site.siteId, from, to)).map((day) => [day.day, day]));
  const spans = new Map<string, { first: string; last: string; days: typeof days }>();
  for (const day of days) {
    const start = startOf(day.day, interval);
    const span = spans.get(start) ?? { first: day.day, last: day.day, days: [] };
    span.last = day.day;
    span.days.push(day);
    spans.set(start, span);
  }
  const list = [...spans.values()];
  const { rows } = await db.query<{ first: string; visitors: number; returning: number }>({
    name: 'metric_series',
    text: `select s.first, coalesce(sum(r.visitors), 0)::bigint as visitors,
       coalesce(sum(r.visitors) filter (where r.previous_day is not null), 0)::bigint as returning
     from unnest($2::date[], $3::date[]) as s (first, last)
     left join visitor_returns r on r.site_id = $1 and r.day between s.first and s.last and (r.previous_day is null or r.previous_day < s.first)
     group by s.first`,
    values: [site.siteId, list.map((span) => span.first), list.map((span) => span.last)],
  });
  const distinct = new Map(rows.map((row) => [row.first, row]));
  return {
    ok: true,
    window: { from, to },
    interval,
    series: list.map(({ first, last, days: own }) => ({
      from: first,
      to: last,
      uniqueVisitors: distinct.get(first)?.visitors ?? 0,
      returningVisitors: distinct.get(first)?.returning ?? 0,
      pageViews: sum(own, (day) => day.pageViews),
      sessions: sum(own, (day) => day.sessions),
      entrances: sum(own, (day) => day.entrances),
      landingConversions: sum(own, (day) => day.landingConversions),
      formsStarted: sum(own, (day) => day.formsStarted),
      formsSubmitted: sum(own, (day) => day.formsSubmitted),
      newLeads: sum(own, (day) => leads.get(day.day)?.leads ?? 0),
      leadsVerified: sum(own, (day) => leads.get(day.day)?.verified ?? 0),
      leadsSignedUp: sum(own, (day) => leads.get(day.day)?.signedUp ?? 0),
      botEvents: sum(own, (day) => day.botEvents),
      eventsAccepted: sum(own, (day) => day.accepted),
      eventsRejected: sum(own, (day) => day.rejected),
    })),
  };
}

export const BREAKDOWNS = {
  pages: 'page',
  entrances: 'entrance',
  exits: 'exit',
  sources: 'source',
  campaigns: 'campaign',
  referrers: 'referrer',
  devices: 'device',
  browsers: 'browser',
  os: 'os',
  countries: 'country',
  events: 'event',
  forms: 'form',
} as const;

export type BreakdownBy = keyof typeof BREAKDOWNS | 'vitals' | 'spend';

/** What a window's numbers consist of, the largest first; totals are of all rows, also of those beyond the limit. */
export async function breakdown(
  db: Db,
  site: Site,
  { from, to, by, limit }: { from: string; to: string; by: BreakdownBy; limit: number },
): Promise<Row> {
  const head = { ok: true, window: { from, to }, by };
  if (by === 'vitals') return { ...head, ...(await vitals(db, site, from, to)) };
  if (by === 'spend') return { ...head, ...(await spend(db, site, from, to, limit)) };
  const kind = BREAKDOWNS[by];
  const { rows } = await db.query<{
    name: string;
    detail: string;
    sessions: number;
    pageViews: number;
    conversions: number;
    events: number;
    engagedMs: number;
  }>({
    name: 'metric_breakdown',
    text: `select name, detail, sum(sessions)::bigint as sessions, sum(page_views)::bigint as "pageViews",
       sum(conversions)::bigint as conversions, sum(events)::bigint as events, sum(engaged_ms)::bigint as "engagedMs"
     from daily_breakdowns where site_id = $1 and kind = $4 and day between $2 and $3 group by 1, 2`,
    values: [site.siteId, from, to, kind],
  });
  const weigh = (row: (typeof rows)[number]) => row.sessions || row.pageViews || row.events;
  const leads = by === 'sources' || by === 'campaigns' ? await leadsBy(db, site, from, to, by) : null;
  const known = new Set<string>();
  const list = rows.map((row) => {
    const key = `${row.name}\n${row.detail}`;
    known.add(key);
    return leads ? { ...row, leads: leads.get(key) ?? 0 } : row;
  });
  // Leads whose session is not in this window's sessions, or came without one, are rows too: the sums stay equal.
  for (const [key, count] of leads ?? []) {
    if (known.has(key)) continue;
    const [name = '', detail = ''] = key.split('\n');
    const none = { sessions: 0, pageViews: 0, conversions: 0, events: 0, engagedMs: 0 };
    list.push({ name, detail, ...none, leads: count } as (typeof list)[number]);
  }
  list.sort(
    (a, b) =>
      weigh(b) - weigh(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.detail < b.detail ? -1 : 1),
  );
  const totals = {
    rows: list.length,
    sessions: sum(list, (row) => row.sessions),
    pageViews: sum(list, (row) => row.pageViews),
    conversions: sum(list, (row) => row.conversions),
    events: sum(list, (row) => row.events),
    ...(leads ? { leads: sum([...leads.values()], (count) => count) } : {}),
  };
  const whole = sum(list, weigh);
  return {
    ...head,
    totals,
    rows: list.slice(0, limit).map((row) => ({
      ...row,
      share: ratio(weigh(row), whole),
      conversionRate: ratio(row.conversions, row.sessions),
    })),
  };
}

async function leadsBy(db: Db, site: Site, from: string, to: string, by: 'sources' | 'campaigns') {
  const { rows } = await db.query<{ name: string; detail: string; leads: number }>({
    name: `metric_leads_by_${by}`,
    text:
      by === 'sources'
        ? `select source as name, '' as detail, count(*) as leads from (${LEAD_FACTS}) facts group by 1`
        : `select campaign as name, concat_ws(' / ', utm_source, utm_medium) as detail, count(*) as leads
           from (${LEAD_FACTS}) facts where campaign is not null group by 1, 2`,
    values: [site.siteId, from, to],
  });
  return new Map(rows.map((row) => [`${row.name}\n${row.detail}`, row.leads]));
}

const VITALS = { lcp: 'lcpMs', inp: 'inpMs', cls: 'clsScore', fcp: 'fcpMs', ttfb: 'ttfbMs' } as const;

async function vitals(db: Db, site: Site, from: string, to: string) {
  const days = await findDays(db, site.siteId, from, to, 'all');
  return {
    rows: Object.entries(VITALS).map(([vital, name]) => {
      const all: Histogram = {};
      for (const day of days) merge(all, day.vitals[vital]);
      const unit = vital === 'cls' ? 10_000 : 100;
      return {
        name,
        p75: percentile(all, 0.75, unit),
        p95: percentile(all, 0.95, unit),
        measured: sum(Object.values(all), (count) => count),
      };
    }),
  };
}

async function spend(db: Db, site: Site, from: string, to: string, limit: number) {
  const { rows } = await db.query<{
    source: string;
    campaign: string;
    currency: string;
    amount: number;
    leads: number;
    costPerLead: number | null;
  }>({
    name: 'metric_spend_by_campaign',
    text: `with paid as (
       select source, campaign, currency, sum(amount)::float8 as amount from ad_spend
       where site_id = $1 and day between $2 and $3 group by 1, 2, 3
     ), won as (
       select lower(utm_source) as source, lower(coalesce(campaign, '')) as campaign, count(*) as leads
       from (${LEAD_FACTS}) facts where utm_source is not null group by 1, 2
     )
     select paid.source, paid.campaign, currency, amount,
       coalesce(case when paid.campaign = '' then (select sum(leads) from won where won.source = lower(paid.source))
         else (select sum(leads) from won where won.source = lower(paid.source) and won.campaign = lower(paid.campaign)) end, 0)::bigint as leads
     from paid order by amount desc, source, campaign, currency`,
    values: [site.siteId, from, to],
  });
  return {
    rows: rows.slice(0, limit).map((row) => ({ ...row, costPerLead: ratio(row.amount, row.leads) })),
  };
}

/** Leads by week of first capture and first-touch source, and how many had got how far after 0..n weeks. */
export async function cohorts(
  db: Db,
  site: Site,
  { from, to, weeks }: { from: string; to: string; weeks: number },
): Promise<Row> {
  /** Whole weeks from the capture; null: not (yet). */
  interface Group {
    week: string;
    source: string;
    verified: number | null;
    signedUp: number | null;
    activated: number | null;
    leads: number;
  }
  const whole = (at: string) =>
    `case when ${at} is not null then least(floor(extract(epoch from ${at} - first_captured_at) / ${7 * 86_400})::int, $4::int + 1) end`;
  const { rows } = await db.query<Group>({
    name: 'metric_cohorts',
    text: `select date_trunc('week', day)::date as week, source, ${whole('verified_at')} as verified, ${whole('signed_up_at')} as "signedUp",
       ${whole('activated_at')} as activated, count(*) as leads
     from (${LEAD_FACTS}) facts group by 1, 2, 3, 4, 5`,
    values: [site.siteId, from, to, weeks],
  });
  const cohorts = new Map<string, Group[]>();
  for (const row of rows) {
    const key = `${row.week} ${row.source}`;
    const groups = cohorts.get(key);
    if (groups) groups.push(row);
    else cohorts.set(key, [row]);
  }
  type Stage = 'verified' | 'signedUp' | 'activated';
  const reached = (groups: Group[], stage: Stage) =>
    sum(groups, (group) => (group[stage] === null ? 0 : group.leads));
  /** Cumulated: index n counts those who had got there n weeks after their capture. */
  const after = (groups: Group[], stage: Stage) =>
    Array.from({ length: weeks + 1 }, (_, n) =>
      sum(groups, (group) => {
        const at = group[stage];
        return at !== null && at <= n ? group.leads : 0;
      }),
    );
  return {
    ok: true,
    window: { from, to },
    weeks,
    cohorts: [...cohorts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, groups]) => ({
        week: key.slice(0, 10),
        source: key.slice(11),
        captured: sum(groups, (group) => group.leads),
        verified: reached(groups, 'verified'),
        signedUp: reached(groups, 'signedUp'),
        activated: reached(groups, 'activated'),
        verifiedAfter: after(groups, 'verified'),
        signedUpAfter: after(groups, 'signedUp'),
        activatedAfter: after(groups, 'activated'),
      })),
  };
}

export interface LeadFilter {
  from: string;
  to: string;
  source?: string;
  campaign?: string;
  /** Of a row of breakdown by campaigns: "source / medium" of the utm; empty: none. */
  detail?: string;
  /** Of a row of breakdown by spend; as there, upper and lower case are the same. */
  paidSource?: string;
  paidCampaign?: string;
  domainClass?: string;
  verified?: boolean;
  signedUp?: boolean;
  activated?: boolean;
  /** Whether the time to their first capture is known: those of avgTimeToFirstCaptureHrs. */
  timed?: boolean;
  after?: string;
  limit: number;
}

/**
 * The leads behind a number: total is the number, whatever the page. Who they are is asked of /v1/leads/{leadId}.
 * throws  invalid_request, when the lead named by after was erased meanwhile
 */
export async function leadsBehind(db: Db, site: Site, filter: LeadFilter): Promise<Row> {
  const { rows } = await db.query<{
    lead_id: string | null;
    first_captured_at: Date;
    source: string;
    campaign: string | null;
    domain_class: string;
    verified_at: Date | null;
    signed_up_at: Date | null;
    activated_at: Date | null;
    hours: number | null;
    total: number;
    lost: boolean;
  }>({
    name: 'metric_leads_behind',
    // the count stands alone in its row when the page is empty
    text: `with wanted as materialized (
       select lead_id, first_captured_at, source, campaign, domain_class, verified_at, signed_up_at, activated_at, hours from (${LEAD_FACTS}) facts
       where ($4::text is null or source = $4) and ($5::text is null or campaign = $5) and ($6::text is null or domain_class = $6)
         and ($7::boolean is null or (verified_at is not null) = $7) and ($8::boolean is null or (signed_up_at is not null) = $8)
         and ($9::boolean is null or (activated_at is not null) = $9) and ($12::boolean is null or (hours is not null) = $12)
         and ($13::text is null or concat_ws(' / ', utm_source, utm_medium) = $13)
         and ($14::text is null or lower(utm_source) = lower($14)) and ($15::text is null or lower(campaign) = lower($15))
     ), before as (
       -- not from wanted: it may have changed since it was shown
       select first_captured_at, lead_id from leads where site_id = $1 and lead_id = $10
     ), page as (
       select * from wanted
       where $10::uuid is null or (first_captured_at, lead_id) > (select first_captured_at, lead_id from before)
       order by first_captured_at, lead_id limit $11::int + 1
     )
     select page.*, counted.total, counted.lost from (
       select count(*) as total, $10::uuid is not null and not exists (select from before) as lost from wanted
     ) counted left join page on true
     order by first_captured_at, lead_id`,
    values: [
      site.siteId,
      filter.from,
      filter.to,
      filter.source,
      filter.campaign,
      filter.domainClass,
      filter.verified,
      filter.signedUp,
      filter.activated,
      filter.after,
      filter.limit,
      filter.timed,
      filter.detail,
      filter.paidSource,
      filter.paidCampaign,
    ],
  });
  if (rows[0]!.lost)
    throw new AppError(
      'invalid_request',
      'The lead that this page should follow is gone. Start again without after.',
      {
        issues: [{ path: 'after', message: 'is no lead any more' }],
      },
    );
  // one more than asked for says that there is a next page
  const page = rows.slice(0, filter.limit).filter((row) => row.lead_id !== null);
  return {
    ok: true,
    window: { from: filter.from, to: filter.to },
    total: rows[0]!.total,
    next: rows.length > filter.limit ? page.at(-1)!.lead_id : null,
    leads: page.map((fact) => ({
      leadId: fact.lead_id,
      firstCapturedAt: fact.first_captured_at.toISOString(),
      source: fact.source,
      campaign: fact.campaign,
      domainClass: fact.domain_class,
      verified: fact.verified_at !== null,
      signedUpAt: fact.signed_up_at?.toISOString() ?? null,
      activatedAt: fact.activated_at?.toISOString() ?? null,
      hoursToFirstCapture: fact.hours,
    })),
  };
}

/** How far the numbers can be trusted: bots, spam, refusals, the ledger, service, and the addresses' domains. */
export async function quality(db: Db, site: Site, { from, to }: { from: string; to: string }): Promise<Row> {
  const days = await findDays(db, site.siteId, from, to, { since: from });
  const classes: Record<string, number> = { free_mail: 0, business: 0, disposable: 0 };
  const { rows } = await db.query<{ domain_class: string; leads: number }>({
    name: 'metric_domains',
    text: `select domain_class, count(*) as leads from (${LEAD_FACTS}) facts group by 1`,
    values: [site.siteId, from, to],
  });
  for (const { domain_class, leads } of rows) classes[domain_class] = leads;
  const leads = sum(rows, (row) => row.leads);
  return {
    ok: true,
    window: { from, to },
    domains: {
      leads,
      byClass: classes,
      businessShare: ratio(classes.business ?? 0, leads),
    },
    days: days.map((day) => ({
      day: day.day,
      humanEvents: day.humanEvents,
      botEvents: day.botEvents,
      botShare: ratio(day.botEvents, day.botEvents + day.humanEvents),
      botsByReason: day.botsByReason,
      spamSubmissions:
        (day.botsByReason.spam ?? 0) +
        (day.rejectedByReason.honeypot ?? 0) +
        (day.rejectedByReason.spam ?? 0),
      clampedEvents: day.clampedEvents,
      lateEvents: day.lateEvents,
      received: day.received,
      accepted: day.accepted,
      duplicate: day.duplicate,
      rejected: day.rejected,
      rejectedByReason: day.rejectedByReason,
      balanced: day.received === day.accepted + day.duplicate + day.rejected,
      successPct: ratio(day.accepted, day.accepted + day.rejected),
      p95LatencyMs: percentile(day.latencies, 0.95),
      minutesWithoutService: day.minutesWithoutService,
      sealed: day.sealed,
    })),
  };
}

const REALTIME_MINUTES = 30;
const TOP = 10;

/** The last half hour, from raw events by their time: a bounded look-up, no rollup is that young. */
export async function realtime(db: Db, site: Site, now = Date.now()): Promise<Row> {
  const since = new Date(Math.floor(now / 60_000) * 60_000 - (REALTIME_MINUTES - 1) * 60_000);
  const { rows } = await db.query<{
    kind: string;
    name: string;
    events: number;
    views: number;
    visitors: number;
  }>({
    name: 'metric_realtime',
    text: `with recent as materialized (
       select e.visitor_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1) as path, s.source, s.country, s.device_type
       from events e left join sessions s on s.site_id = e.site_id and s.session_id = e.session_id
       where e.site_id = $1 and e.occurred_at >= $2 and e.bot_reason is null
     )
     select k.kind, k.name, count(*) as events, count(*) filter (where event_type = 'page_view') as views, count(distinct visitor_id) as visitors
     from recent cross join lateral (values ('all', ''), ('minute', to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:00.000"Z"')),
       ('page', path), ('source', source), ('country', country), ('device', device_type)) as k (kind, name)
     where k.name is not null group by 1, 2`,
    values: [site.siteId, since],
  });
  const of = (kind: string) =>
    rows
      .filter((row) => row.kind === kind)
      .sort((a, b) => b.visitors - a.visitors || b.events - a.events || (a.name < b.name ? -1 : 1));
  const minutes = new Map(of('minute').map((row) => [row.name, row]));
  const all = of('all')[0];
  const top = (kind: string) =>
    of(kind)
      .slice(0, TOP)
      .map(({ name, visitors, views }) => ({ name, visitors, pageViews: views }));
  return {
    ok: true,
    since: since.toISOString(),
    activeVisitors: all?.visitors ?? 0,
    pageViews: all?.views ?? 0,
    events: all?.events ?? 0,
    minutes: Array.from({ length: REALTIME_MINUTES }, (_, n) => {
      const minute = new Date(since.getTime() + n * 60_000).toISOString();
      const row = minutes.get(minute);
      return { minute, visitors: row?.visitors ?? 0, pageViews: row?.views ?? 0, events: row?.events ?? 0 };
    }),
    pages: top('page'),
    sources: top('source'),
    countries: top('country'),
    devices: top('device'),
  };
}
