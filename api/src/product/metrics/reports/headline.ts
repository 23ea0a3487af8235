// The headline numbers of a window, each by the contract's §5, and how they differ from another window's.
import type { DayRow, LeadDay } from './queries.ts';
import { addUp, ratio, sum } from './sums.ts';

/** What was read of one window. */
export interface Read {
  days: DayRow[];
  leads: LeadDay[];
  /** day: those without an id of their own; returning: of the others. */
  visitors: { visitors: number; day: number; returning: number };
  spend: { day: string; currency: string; amount: number }[];
}

export const HEADLINES = [
  'uniqueVisitors',
  'returningVisitorsPct',
  'totalPageViews',
  'sessions',
  'leadCaptureRate',
  'formCompletionRate',
  'landingPageConversionRate',
  'avgTimeToFirstCaptureHrs',
  'emailVerificationRate',
  'costPerLead',
  'leadToSignupRate',
  'leadToActivationRate',
] as const;
export type Headline = (typeof HEADLINES)[number];

export function spendOf(read: Pick<Read, 'spend'>): {
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

function numbersOf(read: Read, doubleOptIn: boolean): Record<Headline, number | null> {
  const { days, leads, visitors } = read;
  const ofDays = (of: (day: DayRow) => number) => sum(days, of);
  const ofLeads = (of: (day: LeadDay) => number) => sum(leads, of);
  const captured = ofLeads((day) => day.leads);
  const verified = ofLeads((day) => day.verified);
  const spend = spendOf(read);
  const verifiable = doubleOptIn || verified > 0 || ofDays((day) => day.emailVerifies) > 0;
  const share = (part: (day: DayRow) => number, whole: (day: DayRow) => number) =>
    ratio(ofDays(part), ofDays(whole));
  return {
    uniqueVisitors: visitors.visitors,
    returningVisitorsPct: ratio(visitors.returning, visitors.visitors - visitors.day),
    totalPageViews: ofDays((day) => day.pageViews),
    sessions: ofDays((day) => day.sessions),
    leadCaptureRate: ratio(captured, visitors.visitors),
    formCompletionRate: share(
      (day) => day.formsSubmitted,
      (day) => day.formsStarted,
    ),
    landingPageConversionRate: share(
      (day) => day.landingConversions,
      (day) => day.entrances,
    ),
    avgTimeToFirstCaptureHrs: ratio(
      ofLeads((day) => day.hours),
      ofLeads((day) => day.timed),
    ),
    emailVerificationRate: verifiable ? ratio(verified, captured) : null,
    costPerLead: spend.currency === null ? null : ratio(spend.amount, captured),
    leadToSignupRate: ratio(
      ofLeads((day) => day.signedUp),
      captured,
    ),
    leadToActivationRate: ratio(
      ofLeads((day) => day.activated),
      captured,
    ),
  };
}

const delta = (now: number | null, base: number | null): number | null =>
  now === null || base === null || base === 0 ? null : (now - base) / base;

type Told = { value: number | null; delta: number | null };

/** base  the window compared with; null: none, so every delta is null */
export function headlinesOf(current: Read, base: Read | null, doubleOptIn: boolean): Record<Headline, Told> {
  const numbers = numbersOf(current, doubleOptIn);
  const before = base && numbersOf(base, doubleOptIn);
  // amounts of two currencies don't compare
  const currencies = new Set([...current.spend, ...(base?.spend ?? [])].map(({ currency }) => currency));
  return Object.fromEntries(
    HEADLINES.map((name) => [
      name,
      {
        value: numbers[name],
        delta:
          name === 'costPerLead' && currencies.size > 1 ? null : delta(numbers[name], before?.[name] ?? null),
      },
    ]),
  ) as Record<Headline, Told>;
}
