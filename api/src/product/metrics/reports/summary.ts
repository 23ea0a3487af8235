// GET /v1/metrics/summary: the headline numbers of a window, each by the contract's §5, against the window before.
import type { Db } from '../../ground/db/pool.ts';
import { addDays, dayOf, daysIn } from '../../ground/lib/days.ts';
import type { Site } from '../../ground/site.ts';
import { type Histogram, merge, percentile } from './histogram.ts';
import { countLeads, type DayRow, findDays, findRest, type LeadDay } from './queries.ts';

export interface Window {
  from: string;
  to: string;
}

interface Numbers {
  uniqueVisitors: number;
  returningVisitorsPct: number | null;
  totalPageViews: number;
  sessions: number;
  leadCaptureRate: number | null;
  formCompletionRate: number | null;
  landingPageConversionRate: number | null;
  avgTimeToFirstCaptureHrs: number | null;
  emailVerificationRate: number | null;
  costPerLead: number | null;
  leadToSignupRate: number | null;
  leadToActivationRate: number | null;
}

const sum = <T>(list: T[], of: (item: T) => number) => list.reduce((total, item) => total + of(item), 0);
/** null when there is nothing to divide by: a ratio of nothing is not zero. */
export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
const delta = (now: number | null, base: number | null): number | null =>
  now === null || base === null || base === 0 ? null : (now - base) / base;
const addUp = (records: Record<string, number>[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const record of records)
    for (const key in record) total[key] = (total[key] ?? 0) + Number(record[key]);
  return total;
};

/** Same length, directly before. */
export const windowBefore = ({ from, to }: Window): Window => ({
  from: addDays(from, -daysIn(from, to)),
  to: addDays(from, -1),
});

interface Read {
  days: DayRow[];
  leads: LeadDay[];
  visitors: { visitors: number; returning: number };
  spend: { day: string; currency: string; amount: number }[];
}

function spendOf(read: Read): {
  currency: string | null;
  amount: number;
  byCurrency: Record<string, number>;
} {
  const byCurrency = addUp(read.spend.map(({ currency, amount }) => ({ [currency]: amount })));
  const currencies = Object.keys(byCurrency);
  // Different currencies have no sum; each is told for itself.
  return currencies.length === 1
    ? { currency: currencies[0]!, amount: byCurrency[currencies[0]!]!, byCurrency }
    : { currency: null, amount: 0, byCurrency };
}

function numbersOf(read: Read, doubleOptIn: boolean): Numbers {
  const { days, leads, visitors } = read;
  const captured = sum(leads, (day) => day.leads);
  const verified = sum(leads, (day) => day.verified);
  const spend = spendOf(read);
  const verifiable = doubleOptIn || verified > 0 || sum(days, (day) => day.emailVerifies) > 0;
  return {
    uniqueVisitors: visitors.visitors,
    returningVisitorsPct: ratio(visitors.returning, visitors.visitors),
    totalPageViews: sum(days, (day) => day.pageViews),
    sessions: sum(days, (day) => day.sessions),
    leadCaptureRate: ratio(captured, visitors.visitors),
    formCompletionRate: ratio(
      sum(days, (day) => day.formsSubmitted),
      sum(days, (day) => day.formsStarted),
    ),
    landingPageConversionRate: ratio(
      sum(days, (day) => day.landingConversions),
      sum(days, (day) => day.entrances),
    ),
    avgTimeToFirstCaptureHrs: ratio(
      sum(leads, (day) => day.hours),
      sum(leads, (day) => day.timed),
    ),
    emailVerificationRate: verifiable ? ratio(verified, captured) : null,
    costPerLead: spend.currency === null ? null : ratio(spend.amount, captured),
    leadToSignupRate: ratio(
      sum(leads, (day) => day.signedUp),
      captured,
    ),
    leadToActivationRate: ratio(
      sum(leads, (day) => day.activated),
      captured,
    ),
  };
}

export interface SummaryOptions {
  window: Window;
  compare: boolean;
  retentionDays: number;
  now?: number;
}

/** db: inside inSites of this site. */
export async function summarize(db: Db, site: Site, options: SummaryOptions) {
  const { window, compare, retentionDays, now = Date.now() } = options;
  const before = compare ? windowBefore(window) : null;
  const doubleOptIn = site.settings.doubleOptIn === true;
  // Both windows lie side by side, so one question answers for both.
  const first = before?.from ?? window.from;
  const inWindow = (day: string) => day >= window.from;
  const allDays = await findDays(db, site.siteId, first, window.to, { since: window.from });
  const allLeads = await countLeads(db, site.siteId, first, window.to);
  const rest = await findRest(db, site.siteId, window, before, addDays(window.from, retentionDays));
  const allSpend = rest.spend;
  const visitors = { visitors: rest.visitors, returning: rest.returning };
  const current: Read = {
    days: allDays.filter(({ day }) => inWindow(day)),
    leads: allLeads.filter(({ day }) => inWindow(day)),
    spend: allSpend.filter(({ day }) => inWindow(day)),
    visitors,
  };
  const numbers = numbersOf(current, doubleOptIn);
  let base: Numbers | null = null;
  if (before) {
    base = numbersOf(
      {
        days: allDays.filter(({ day }) => !inWindow(day)),
        leads: allLeads.filter(({ day }) => !inWindow(day)),
        spend: allSpend.filter(({ day }) => !inWindow(day)),
        visitors: { visitors: rest.visitorsBefore, returning: rest.returningBefore },
      },
      doubleOptIn,
    );
  }
  const sameCurrency =
    !before ||
    new Set(allSpend.map(({ currency }) => currency)).size <= 1; /* amounts of two currencies don't compare */
  const metrics = Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      name,
      {
        value,
        delta:
          name === 'costPerLead' && !sameCurrency
            ? null
            : delta(value, base?.[name as keyof Numbers] ?? null),
      },
    ]),
  ) as Record<keyof Numbers, { value: number | null; delta: number | null }>;

  const { days, leads } = current;
  const bySource = addUp(days.map((day) => day.sessionsBySource));
  const sessions = sum(days, (day) => day.sessions);
  const spend = spendOf(current);
  const captured = sum(leads, (day) => day.leads);
  const latencies: Histogram = {};
  const ttfb: Histogram = {};
  for (const day of days) {
    merge(latencies, day.latencies);
    merge(ttfb, day.vitals.ttfb);
  }
  const accepted = sum(days, (day) => day.accepted);
  const rejected = sum(days, (day) => day.rejected);
  const sealedDays = days.filter((day) => day.sealed).length;
  // Where raw rows are gone, a visitor who stayed away for longer than they were kept counts as another one.
  const exact = sealedDays === 0 || daysIn(window.from, window.to) <= retentionDays;
  const leadsOn = new Map(leads.map((day) => [day.day, day.leads]));
  const today = dayOf(now);
  return {
    ok: true as const,
    site: { siteId: site.siteId, propertyId: site.key },
    window,
    compareTo: before,
    freshness: {
      rolledUpThrough: rest.rolledUpThrough,
      lagDays: rest.rolledUpThrough === null ? null : Math.max(0, daysIn(rest.rolledUpThrough, today) - 1),
      generatedAt: rest.generatedAt?.toISOString() ?? null,
    },
    metrics: {
      ...metrics,
      trafficSourceMix: Object.fromEntries(
        Object.entries(bySource)
          .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
          .map(([source, count]) => [source, count / sessions]),
      ),
    },
    totals: {
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
      spendByCurrency: spend.byCurrency,
      costPerLeadByCurrency: Object.fromEntries(
        Object.entries(spend.byCurrency).map(([currency, amount]) => [currency, ratio(amount, captured)]),
      ),
    },
    ingest: {
      successPct: ratio(accepted, accepted + rejected),
      p95LatencyMs: percentile(latencies, 0.95),
      p95TtfbMs: percentile(ttfb, 0.95),
      totalEventsAccepted: accepted,
      totalEventsDuplicate: sum(days, (day) => day.duplicate),
      totalEventsRejected: rejected,
      rejectedByReason: addUp(days.map((day) => day.rejectedByReason)),
    },
    quality: {
      botEvents: sum(days, (day) => day.botEvents),
      botsByReason: addUp(days.map((day) => day.botsByReason)),
      clampedEvents: sum(days, (day) => day.clampedEvents),
      lateEvents: sum(days, (day) => day.lateEvents),
      minutesWithoutService: sum(days, (day) => day.minutesWithoutService),
      uniquesMethod: exact ? 'exact' : `exact_but_absences_over_${retentionDays}_days`,
      // at most: as if all of them had been there before
      uniquesErrorMax: exact ? 0 : ratio(rest.perhaps, visitors.visitors),
      sealedDays,
    },
    trend: days.map((day) => ({
      day: day.day,
      uniqueVisitors: day.uniqueVisitors,
      pageViews: day.pageViews,
      sessions: day.sessions,
      newLeads: leadsOn.get(day.day) ?? 0,
      formsSubmitted: day.formsSubmitted,
      botEvents: day.botEvents,
      eventsAccepted: day.accepted,
      eventsRejected: day.rejected,
    })),
  };
}
