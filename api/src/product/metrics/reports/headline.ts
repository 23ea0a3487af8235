// The headline numbers of a window, each by the contract's §5, and how they differ from another window's.
import { divided, numberOf, unitsOf } from '../../../ground/lib/decimal.ts';
import type { DayRow, LeadDay } from './queries.ts';
import { ratio, sum } from './sums.ts';

/** An amount as PostgreSQL has it: decimal, as text. */
export interface Paid {
  day: string;
  currency: string;
  amount: string;
}

/** What of a day tells how visits went. */
export type VisitDay = Pick<
  DayRow,
  | 'sessions'
  | 'entrances'
  | 'landingConversions'
  | 'pageViews'
  | 'bounces'
  | 'engagedMs'
  | 'formsStarted'
  | 'formsSubmitted'
>;

/** What was read of one window. */
export interface Read<Day extends VisitDay = DayRow> {
  days: Day[];
  leads: LeadDay[];
  /** day: those without an id of their own; returning: of the others. */
  visitors: { visitors: number; day: number; returning: number };
  spend: Paid[];
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
  'pagesPerSession',
  'bounceRate',
  'avgEngagedSeconds',
] as const;
export type Headline = (typeof HEADLINES)[number];

/** Those of leads, who are no visits. */
export const OF_LEADS: readonly Headline[] = [
  'leadCaptureRate',
  'avgTimeToFirstCaptureHrs',
  'emailVerificationRate',
  'costPerLead',
  'leadToSignupRate',
  'leadToActivationRate',
];

/** On fewer than this a change says nothing. */
const BASE_MIN = 10;

/** Sums by currency, in ten-thousandths: different currencies have no sum. */
export function byCurrency(paid: readonly Paid[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { currency, amount } of paid) sums.set(currency, (sums.get(currency) ?? 0n) + unitsOf(amount));
  return sums;
}

/** A number, and of how many things it tells. */
interface Counted {
  value: number | null;
  of: number;
}

/** verifiable  whether this site asks for, or has ever seen, a verified address */
function numbersOf(read: Read<VisitDay>, verifiable: boolean): Record<Headline, Counted> {
  const { days, leads, visitors } = read;
  const ofDays = (of: (day: VisitDay) => number) => sum(days, of);
  const ofLeads = (of: (day: LeadDay) => number) => sum(leads, of);
  const captured = ofLeads((day) => day.leads);
  const timed = ofLeads((day) => day.timed);
  const sessions = ofDays((day) => day.sessions);
  const entrances = ofDays((day) => day.entrances);
  const started = ofDays((day) => day.formsStarted);
  const pageViews = ofDays((day) => day.pageViews);
  const paid = [...byCurrency(read.spend).values()];
  const cost = paid.length === 1 ? divided(paid[0]!, captured) : null;
  const count = (value: number): Counted => ({ value, of: value });
  const share = (part: number, of: number): Counted => ({ value: ratio(part, of), of });
  return {
    uniqueVisitors: count(visitors.visitors),
    returningVisitorsPct: share(visitors.returning, visitors.visitors - visitors.day),
    totalPageViews: count(pageViews),
    sessions: count(sessions),
    leadCaptureRate: share(captured, visitors.visitors),
    formCompletionRate: share(
      ofDays((day) => day.formsSubmitted),
      started,
    ),
    landingPageConversionRate: share(
      ofDays((day) => day.landingConversions),
      entrances,
    ),
    avgTimeToFirstCaptureHrs: share(
      ofLeads((day) => day.hours),
      timed,
    ),
    emailVerificationRate: {
      ...share(
        ofLeads((day) => day.verified),
        captured,
      ),
      ...(verifiable ? {} : { value: null }),
    },
    costPerLead: { value: cost === null ? null : numberOf(cost), of: captured },
    leadToSignupRate: share(
      ofLeads((day) => day.signedUp),
      captured,
    ),
    leadToActivationRate: share(
      ofLeads((day) => day.activated),
      captured,
    ),
    ...visitNumbers(days),
  };
}

/** How visits went: the same for a window and for a step of a series. */
export function visitsOf(days: readonly VisitDay[]) {
  const sessions = sum(days, (day) => day.sessions);
  const entrances = sum(days, (day) => day.entrances);
  return {
    pagesPerSession: ratio(
      sum(days, (day) => day.pageViews),
      sessions,
    ),
    bounceRate: ratio(
      sum(days, (day) => day.bounces),
      entrances,
    ),
    avgEngagedSeconds: ratio(sum(days, (day) => day.engagedMs) / 1000, entrances),
    sessions,
    entrances,
  };
}

function visitNumbers(days: readonly VisitDay[]) {
  const { sessions, entrances, ...told } = visitsOf(days);
  return {
    pagesPerSession: { value: told.pagesPerSession, of: sessions },
    bounceRate: { value: told.bounceRate, of: entrances },
    avgEngagedSeconds: { value: told.avgEngagedSeconds, of: entrances },
  };
}

/** A change of too little to compare with is none. */
const delta = (now: Counted, base: Counted | undefined): number | null =>
  !base || base.of < BASE_MIN || now.value === null || !base.value
    ? null
    : (now.value - base.value) / base.value;

type Told = { value: number | null; delta: number | null };

/** base  the window compared with; null: none, or none that can be compared, so every delta is null */
export function headlinesOf(
  current: Read<VisitDay>,
  base: Read<VisitDay> | null,
  verifiable: boolean,
): Record<Headline, Told> {
  const numbers = numbersOf(current, verifiable);
  const before = base && numbersOf(base, verifiable);
  // amounts of two currencies don't compare
  const currencies = new Set([...current.spend, ...(base?.spend ?? [])].map(({ currency }) => currency));
  return Object.fromEntries(
    HEADLINES.map((name) => [
      name,
      {
        value: numbers[name].value,
        delta: name === 'costPerLead' && currencies.size > 1 ? null : delta(numbers[name], before?.[name]),
      },
    ]),
  ) as Record<Headline, Told>;
}
