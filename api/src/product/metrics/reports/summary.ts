// The headline numbers of a window, against the window before, and what they stand on: totals, ingestion, quality, trend.
import type { Db } from '../../../ground/db/pool.ts';
import { flag } from '../../../ground/http/fields.ts';
import { addDays } from '../../../ground/lib/days.ts';
import { divided, numberOf } from '../../../ground/lib/decimal.ts';
import { type Histogram, merge, percentile } from '../../../ground/lib/histogram.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { isWhole } from '../../segments/filters.ts';
import { windowBefore } from './compare.ts';
import { selecting } from './filters.ts';
import { byCurrency, headlinesOf, type Paid, type Read } from './headline.ts';
import { countLeads, type DayRow, findDays, findRest, type LeadDay, type Rest } from './queries.ts';
import { type Facts, report } from './report.ts';
import { readSelectedSummary } from './selected-summary.ts';
import { type Summary, summaryShape } from './summary-shape.ts';
import { addUp, botsOf, flat, ratio, sum } from './sums.ts';
import { happened, todayOf, type Window, windowed } from './window.ts';

/** Windows that lie side by side are read by one question. */
function spansOf(window: Window, before: Window | null): Window[] {
  if (!before) return [window];
  const isBeside = addDays(before.to, 1) === window.from;
  return isBeside ? [{ from: before.from, to: window.to }] : [before, window];
}

async function readBoth(db: Db, site: Site, window: Window, before: Window | null, retentionDays: number) {
  const days: DayRow[] = [];
  const leads: LeadDay[] = [];
  for (const span of spansOf(window, before)) {
    days.push(...(await findDays(db, site.siteId, span.from, span.to, { since: window.from })));
    leads.push(...(await countLeads(db, site.siteId, span.from, span.to)));
  }
  const rest = await findRest(db, site.siteId, window, before, addDays(window.from, retentionDays));
  const inWindow = ({ day }: { day: string }) => day >= window.from;
  // spend is read as one stretch, from the earlier window to the later one
  const outside = ({ day }: { day: string }) => before !== null && day >= before.from && day <= before.to;
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

/** Whether all of the window before was counted, and all of this one has happened. */
const isComparable = (site: Site, window: Window, before: Window | null, { firstDay }: Rest): boolean =>
  before !== null && window.to < todayOf(site) && firstDay !== null && before.from >= firstDay;

const moneyOf = (paid: Paid[]): Record<string, number> =>
  Object.fromEntries(
    [...byCurrency(paid)].flatMap(([currency, units]) =>
      currency === '' ? [] : [[currency, numberOf(units)] as const],
    ),
  );

function costsOf(paid: Paid[], leads: number): Record<string, number | null> {
  return Object.fromEntries(
    [...byCurrency(paid)].map(([currency, units]) => {
      const cost = divided(units, leads);
      return [currency, cost === null ? null : numberOf(cost)];
    }),
  );
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

function totalsOf(read: Read, { bought }: Rest): Summary['totals'] {
  const { days, leads, visitors, spend } = read;
  const captured = sum(leads, (day) => day.leads);
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
    spendByCurrency: moneyOf(spend),
    spendDays: new Set(spend.map(({ day }) => day)).size,
    costPerLeadByCurrency: costsOf(spend, captured),
    purchases: sum(bought, (day) => day.purchases),
    revenueByCurrency: moneyOf(bought),
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

function qualityOf(days: DayRow[], rest: Rest, { retentionDays, countriesKnown }: Facts): Summary['quality'] {
  const sealedDays = days.filter((day) => day.sealed).length;
  // Where raw rows are gone, a visitor who stayed away for longer than they were kept counts as another one.
  const exact = sealedDays === 0 || days.length <= retentionDays;
  return {
    ...botsOf(addUp(days.map((day) => day.botsByReason))),
    countriesKnown,
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

function trendOf(days: DayRow[], leads: LeadDay[], today: string): Summary['trend'] {
  const leadsOn = new Map(leads.map((day) => [day.day, day.leads]));
  return days.map((day) => ({
    day: day.day,
    uniqueVisitors: day.uniqueVisitors,
    pageViews: day.pageViews,
    sessions: day.sessions,
    newLeads: leadsOn.get(day.day) ?? 0,
    formsSubmitted: day.formsSubmitted,
    botEvents: botsOf(day.botsByReason).botEvents,
    eventsAccepted: day.accepted,
    eventsRejected: day.rejected,
    partial: day.day === today,
  }));
}

/** before  the window it is compared with; it ends before `window` begins */
export async function readSummary(
  db: Db,
  site: Site,
  window: Window,
  before: Window | null,
  facts: Facts,
): Promise<Summary> {
  const past = happened(site, window);
  const { current, base, rest } = await readBoth(db, site, past, before, facts.retentionDays);
  const today = todayOf(site);
  const verifiable =
    site.settings.doubleOptIn === true || rest.everVerified || current.leads.some((day) => day.verified > 0);
  return {
    site: { siteId: site.siteId, propertyId: site.key },
    timeZone: timeZoneOf(site),
    basis: 'rollups',
    window,
    compareTo: before,
    partial: window.from <= today && window.to >= today,
    freshness: freshnessOf(rest),
    metrics: {
      ...headlinesOf(current, isComparable(site, window, before, rest) ? base : null, verifiable),
      trafficSourceMix: sourceMixOf(current.days),
    },
    totals: totalsOf(current, rest),
    ingest: ingestOf(current.days),
    quality: qualityOf(current.days, rest, facts),
    trend: trendOf(current.days, current.leads, today),
  };
}

/** Of the visits that are asked for, or of all. */
const readNumbers: typeof readSummary = (db, site, window, before, facts) =>
  isWhole(facts.selection ?? [])
    ? readSummary(db, site, window, before, facts)
    : readSelectedSummary(db, site, window, before, facts);

/** Also what a page shows of it. */
export const summaryWithoutMoney = (shown: Summary): Summary => ({
  ...shown,
  metrics: { ...shown.metrics, costPerLead: { value: null, delta: null } },
  totals: {
    ...shown.totals,
    spendByCurrency: {},
    spendDays: 0,
    revenueByCurrency: {},
    costPerLeadByCurrency: {},
  },
});

/** Also what a page shows of it: how much all of the site was sent is not for who sees a part. */
export const summaryOfSelection = (shown: Summary): Summary => ({
  ...shown,
  ingest: {
    ...shown.ingest,
    totalEventsAccepted: null,
    totalEventsDuplicate: null,
    totalEventsRejected: null,
    rejectedByReason: {},
  },
  quality: {
    ...shown.quality,
    botEvents: null,
    botsByReason: {},
    staffEvents: null,
    clampedEvents: null,
    lateEvents: null,
  },
});

export const summary = report({
  name: 'summary',
  says: 'The headline numbers of a window, against the window before',
  query: windowed({
    ...selecting,
    compareTo: flag
      .default(false)
      .describe('1/true/yes/on: with the window of the same length directly before'),
  }),
  answer: summaryShape,
  bucket: 'summary',
  selects: true,
  read: (db, site, { from, to, compareTo }, facts) =>
    readNumbers(db, site, { from, to }, compareTo ? windowBefore({ from, to }) : null, facts),
  withoutMoney: summaryWithoutMoney,
  ofSelectionAlone: summaryOfSelection,
  rows: ({ metrics: { trafficSourceMix, ...metrics }, totals, ingest, quality, trend }) => [
    ...Object.entries(metrics).map(([metric, { value, delta }]) => ({ metric, value, delta })),
    ...flat({
      trafficSourceMix,
      totals,
      ingest,
      quality,
      trend: Object.fromEntries(trend.map(({ day, ...numbers }) => [day, numbers])),
    }).map(([metric, value]) => ({ metric, value, delta: null })),
  ],
});
