// The numbers day by day, by ISO week or by month.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { day, utc } from '../../../ground/http/fields.ts';
import { addDays, eachDay } from '../../../ground/lib/days.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { isWhole, type Selection } from '../../segments/filters.ts';
import { selecting } from './filters.ts';
import { visitsOf } from './headline.ts';
import { HOUR_DAYS_MAX, readHours } from './hours.ts';
import { countLeads, type DayRow, findDays } from './queries.ts';
import { report } from './report.ts';
import { checkDays, countDays, countVisitors, NO_VISITS } from './selected.ts';
import { botsOf, sum } from './sums.ts';
import {
  basis,
  count,
  happened,
  ofAllOnly,
  share,
  timeZone,
  todayOf,
  type Window,
  windowed,
  windowShape,
} from './window.ts';

export const interval = z.enum(['day', 'week', 'month']);
const steps = z
  .enum(['hour', ...interval.options])
  .describe(`hour: of at most ${HOUR_DAYS_MAX} days, from raw events`);
export type Interval = z.output<typeof interval>;

export const seriesRow = z.object({
  from: day,
  to: day,
  at: utc
    .optional()
    .describe('with interval=hour: when the hour begins, counted from the beginning of its day'),
  until: utc.optional().describe('with interval=hour: when it ends'),
  uniqueVisitors: count,
  returningVisitors: count,
  pageViews: count,
  sessions: count,
  entrances: count,
  landingConversions: count,
  formsStarted: count,
  formsSubmitted: count,
  newLeads: ofAllOnly,
  leadsVerified: ofAllOnly,
  leadsSignedUp: ofAllOnly,
  botEvents: ofAllOnly,
  eventsAccepted: ofAllOnly,
  eventsRejected: ofAllOnly,
  pagesPerSession: share,
  bounceRate: share,
  avgEngagedSeconds: share,
  partial: z.boolean().describe('holds the day in progress'),
});

const answer = z
  .object({
    timeZone,
    basis,
    window: windowShape,
    interval: steps,
    series: z.array(seriesRow),
  })
  .meta({ id: 'MetricsSeries' });

/** Monday of the ISO week. */
const weekOf = (day: string): string => {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -weekday);
};
const startOf = (day: string, by: Interval) =>
  by === 'day' ? day : by === 'week' ? weekOf(day) : `${day.slice(0, 7)}-01`;

interface Span<Day> {
  first: string;
  last: string;
  days: Day[];
}

/** The window cut into intervals, ascending; the first and the last may be parts of one. */
function spansOf<Day extends { day: string }>(days: readonly Day[], by: Interval): Span<Day>[] {
  const spans = new Map<string, Span<Day>>();
  for (const day of days) {
    const start = startOf(day.day, by);
    const span = spans.get(start) ?? { first: day.day, last: day.day, days: [] };
    span.last = day.day;
    span.days.push(day);
    spans.set(start, span);
  }
  return [...spans.values()];
}

async function distinctIn(db: Db, siteId: string, spans: Span<DayRow>[]) {
  const { rows } = await db.query<{ first: string; visitors: number; returning: number }>({
    name: 'metric_series',
    text: `select s.first, coalesce(sum(r.visitors), 0)::bigint as visitors,
       coalesce(sum(r.visitors - r.day_visitors) filter (where r.previous_day is not null), 0)::bigint as returning
     from unnest($2::date[], $3::date[]) as s (first, last)
     left join visitor_returns r on r.site_id = $1 and r.day between s.first and s.last and (r.previous_day is null or r.previous_day < s.first)
     group by s.first`,
    values: [siteId, spans.map((span) => span.first), spans.map((span) => span.last)],
  });
  return new Map(rows.map((row) => [row.first, row]));
}

/** The steps of a window as far as it has happened, ascending. */
export async function readSeries(
  db: Db,
  site: Site,
  window: Window,
  by: Interval,
): Promise<z.output<typeof seriesRow>[]> {
  const past = happened(site, window);
  const today = todayOf(site);
  const spans = spansOf(await findDays(db, site.siteId, past.from, past.to), by);
  const leads = new Map((await countLeads(db, site.siteId, past.from, past.to)).map((day) => [day.day, day]));
  const distinct = await distinctIn(db, site.siteId, spans);
  return spans.map(({ first, last, days }) => ({
    from: first,
    to: last,
    uniqueVisitors: distinct.get(first)?.visitors ?? 0,
    returningVisitors: distinct.get(first)?.returning ?? 0,
    pageViews: sum(days, (day) => day.pageViews),
    ...visitsOf(days),
    landingConversions: sum(days, (day) => day.landingConversions),
    formsStarted: sum(days, (day) => day.formsStarted),
    formsSubmitted: sum(days, (day) => day.formsSubmitted),
    newLeads: sum(days, (day) => leads.get(day.day)?.leads ?? 0),
    leadsVerified: sum(days, (day) => leads.get(day.day)?.verified ?? 0),
    leadsSignedUp: sum(days, (day) => leads.get(day.day)?.signedUp ?? 0),
    botEvents: sum(days, (day) => botsOf(day.botsByReason).botEvents),
    eventsAccepted: sum(days, (day) => day.accepted),
    eventsRejected: sum(days, (day) => day.rejected),
    partial: last === today,
  }));
}

/** The same of some visits; what is no number of visits is null. */
export async function readSelectedSeries(
  db: Db,
  site: Site,
  window: Window,
  by: Interval,
  selection: Selection,
): Promise<z.output<typeof seriesRow>[]> {
  const past = happened(site, window);
  const today = todayOf(site);
  const counted = new Map((await countDays(db, site, window, selection)).map((day) => [day.day, day]));
  const days = eachDay(past.from, past.to).map((day) => counted.get(day) ?? { ...NO_VISITS, day });
  const spans = spansOf(days, by);
  const windows = spans.map(({ first, last }) => ({ from: first, to: last }));
  const distinct = await countVisitors(db, site, window, selection, windows);
  return spans.map(({ first, last, days: own }) => ({
    from: first,
    to: last,
    uniqueVisitors: distinct.get(first)?.visitors ?? 0,
    returningVisitors: distinct.get(first)?.returning ?? 0,
    pageViews: sum(own, (day) => day.pageViews),
    ...visitsOf(own),
    landingConversions: sum(own, (day) => day.landingConversions),
    formsStarted: sum(own, (day) => day.formsStarted),
    formsSubmitted: sum(own, (day) => day.formsSubmitted),
    newLeads: null,
    leadsVerified: null,
    leadsSignedUp: null,
    botEvents: null,
    eventsAccepted: null,
    eventsRejected: null,
    partial: last === today,
  }));
}

export const timeseries = report({
  name: 'timeseries',
  says: 'The numbers hour by hour, day by day, by ISO week or by month; visitors distinct within each',
  query: windowed({ ...selecting, interval: steps.default('day') }),
  answer,
  selects: true,
  async read(db, site, { from, to, interval: by }, facts) {
    const { selection = [], retentionDays } = facts;
    const window = { from, to };
    if (by === 'hour')
      return {
        timeZone: timeZoneOf(site),
        basis: 'sessions' as const,
        window,
        interval: by,
        series: await readHours(db, site, window, facts),
      };
    const isOfAll = isWhole(selection);
    if (!isOfAll) await checkDays(db, site, window, retentionDays);
    return {
      timeZone: timeZoneOf(site),
      basis: isOfAll ? ('rollups' as const) : ('sessions' as const),
      window,
      interval: by,
      series: isOfAll
        ? await readSeries(db, site, window, by)
        : await readSelectedSeries(db, site, window, by, selection),
    };
  },
  rows: ({ series }) => series,
});
