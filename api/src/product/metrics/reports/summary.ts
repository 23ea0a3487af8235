// The headline numbers of a window, against the window before, and what they stand on: totals, ingestion, quality, trend.
import type { Db } from '../../../ground/db/pool.ts';
import { addDays, daysIn } from '../../../ground/lib/days.ts';
import { type Histogram, merge, percentile } from '../../../ground/lib/histogram.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { headlinesOf, type Read, spendOf } from './headline.ts';
import { countLeads, type DayRow, findDays, findRest, type LeadDay, type Rest } from './queries.ts';
import { report } from './report.ts';
import { type Summary, summaryShape } from './summary-shape.ts';
import { addUp, ratio, sum } from './sums.ts';
import { flag, type Window, windowed } from './window.ts';

/** Same length, directly before. */
const windowBefore = ({ from, to }: Window): Window => ({
  from: addDays(from, -daysIn(from, to)),
  to: addDays(from, -1),
});

/** Both windows lie side by side, so one question answers for both. */
async function readBoth(db: Db, site: Site, window: Window, before: Window | null, retentionDays: number) {
  const first = before?.from ?? window.from;
  const days = await findDays(db, site.siteId, first, window.to, { since: window.from });
  const leads = await countLeads(db, site.siteId, first, window.to);
  const rest = await findRest(db, site.siteId, window, before, addDays(window.from, retentionDays));
  const inWindow = ({ day }: { day: string }) => day >= window.from;
  const outside = (one: { day: string }) => !inWindow(one);
  const current: Read = {
    days: days.filter(inWindow),
    leads: leads.filter(inWindow),
    spend: rest.spend.filter(inWindow),
    visitors: { visitors: rest.visitors, day: rest.dayVisitors, returning: rest.returning },
  };
  const base: Read | null = before && {
    days: days.filter(outside),
    leads: leads.filter(outside),
    spend: rest.spend.filter(outside),
    visitors: { visitors: rest.visitorsBefore, day: rest.dayVisitorsBefore, returning: rest.returningBefore },
  };
  return { current, base, rest };
}

function freshnessOf({ rolledUpThrough, lagDays, generatedAt }: Rest): Summary['freshness'] {
  return {
    rolledUpThrough,
    lagDays,
    generatedAt: generatedAt?.toISOString() ?? null,
  };
}

function sourceMixOf(days: DayRow[]): Record<string, number> {
  const bySource = addUp(days.map((day) => day.sessionsBySource));
  const sessions = sum(days, (day) => day.sessions);
  return Object.fromEntries(
    Object.entries(bySource)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([source, count]) => [source, count / sessions]),
  );
}

function totalsOf(read: Read): Summary['totals'] {
  const { days, leads, visitors } = read;
  const captured = sum(leads, (day) => day.leads);
  const { byCurrency } = spendOf(read);
  return {
    leads: captured,
    leadsVerified: sum(leads, (day) => day.verified),
    leadsSignedUp: sum(leads, (day) => day.signedUp),
    leadsActivated: sum(leads, (day) => day.activated),
    leadsTimed: sum(leads, (day) => day.timed),
    returningVisitors: visitors.returning,
    entrances: sum(days, (day) => day.entrances),
    landingConversions: sum(days, (day) => day.landingConversions),
    formsStarted: sum(days, (day) => day.formsStarted),
    formsSubmitted: sum(days, (day) => day.formsSubmitted),
    spendByCurrency: byCurrency,
    costPerLeadByCurrency: Object.fromEntries(
      Object.entries(byCurrency).map(([currency, amount]) => [currency, ratio(amount, captured)]),
    ),
  };
}

function ingestOf(days: DayRow[]): Summary['ingest'] {
  const latencies: Histogram = {};
  const ttfb: Histogram = {};
  for (const day of days) {
    merge(latencies, day.latencies);
    merge(ttfb, day.vitals.ttfb);
  }
  const accepted = sum(days, (day) => day.accepted);
  const rejected = sum(days, (day) => day.rejected);
  return {
    successPct: ratio(accepted, accepted + rejected),
    p95LatencyMs: percentile(latencies, 0.95),
    p95TtfbMs: percentile(ttfb, 0.95),
    totalEventsAccepted: accepted,
    totalEventsDuplicate: sum(days, (day) => day.duplicate),
    totalEventsRejected: rejected,
    rejectedByReason: addUp(days.map((day) => day.rejectedByReason)),
  };
}

function qualityOf(days: DayRow[], rest: Rest, retentionDays: number): Summary['quality'] {
  const sealedDays = days.filter((day) => day.sealed).length;
  // Where raw rows are gone, a visitor who stayed away for longer than they were kept counts as another one.
  const exact = sealedDays === 0 || days.length <= retentionDays;
  return {
    botEvents: sum(days, (day) => day.botEvents),
    botsByReason: addUp(days.map((day) => day.botsByReason)),
    clampedEvents: sum(days, (day) => day.clampedEvents),
    lateEvents: sum(days, (day) => day.lateEvents),
    minutesWithoutService: sum(days, (day) => day.minutesWithoutService),
    uniquesMethod: !exact
      ? `exact_but_absences_over_${retentionDays}_days`
      : rest.dayVisitors > 0
        ? 'with_day_visitors'
        : 'exact',
    dayVisitors: rest.dayVisitors,
    returningKnownFor: ratio(rest.visitors - rest.dayVisitors, rest.visitors),
    // at most: as if all of them had been there before
    uniquesErrorMax: exact ? 0 : ratio(rest.perhaps, rest.visitors),
    sealedDays,
    daysInOtherZone: days.filter((day) => day.inOtherZone).length,
  };
}

function trendOf(days: DayRow[], leads: LeadDay[]): Summary['trend'] {
  const leadsOn = new Map(leads.map((day) => [day.day, day.leads]));
  return days.map((day) => ({
    day: day.day,
    uniqueVisitors: day.uniqueVisitors,
    pageViews: day.pageViews,
    sessions: day.sessions,
    newLeads: leadsOn.get(day.day) ?? 0,
    formsSubmitted: day.formsSubmitted,
    botEvents: day.botEvents,
    eventsAccepted: day.accepted,
    eventsRejected: day.rejected,
  }));
}

export const summary = report({
  name: 'summary',
  says: 'The headline numbers of a window, against the window before',
  query: windowed({
    compareTo: flag
      .default(false)
      .describe('1/true/yes/on: with the window of the same length directly before'),
  }),
  answer: summaryShape,
  bucket: 'summary',
  async read(db, site, { from, to, compareTo }, { retentionDays }) {
    const window = { from, to };
    const before = compareTo ? windowBefore(window) : null;
    const { current, base, rest } = await readBoth(db, site, window, before, retentionDays);
    return {
      site: { siteId: site.siteId, propertyId: site.key },
      timeZone: timeZoneOf(site),
      window,
      compareTo: before,
      freshness: freshnessOf(rest),
      metrics: {
        ...headlinesOf(current, base, site.settings.doubleOptIn === true),
        trafficSourceMix: sourceMixOf(current.days),
      },
      totals: totalsOf(current),
      ingest: ingestOf(current.days),
      quality: qualityOf(current.days, rest, retentionDays),
      trend: trendOf(current.days, current.leads),
    };
  },
  rows: ({ metrics: { trafficSourceMix, ...metrics } }) => [
    ...Object.entries(metrics).map(([metric, { value, delta }]) => ({ metric, value, delta })),
    ...Object.entries(trafficSourceMix).map(([source, value]) => ({
      metric: `trafficSourceMix.${source}`,
      value,
      delta: null,
    })),
  ],
});
