// What the summary answers.
import { z } from 'zod';
import { day, utc } from '../../../ground/http/fields.ts';
import { HEADLINES, type Headline } from './headline.ts';
import { basis, count, counts, ofAllOnly, share, timeZone, windowShape } from './window.ts';

const number = z.number().nullable();
const metric = z.object({
  value: number,
  delta: number.describe(
    '0.5: half as much again; null: nothing to compare with, or too little (under 10), or not all of it',
  ),
});
const headlines = Object.fromEntries(HEADLINES.map((name) => [name, metric])) as Record<
  Headline,
  typeof metric
>;
const money = z.record(z.string(), z.number()).describe('by currency');

const freshness = z.object({
  rolledUpThrough: day.nullable(),
  lagDays: count
    .nullable()
    .describe('so many days after rolledUpThrough, today included, are not counted yet'),
  generatedAt: utc.nullable(),
});
const totals = z.object({
  leads: ofAllOnly,
  leadsVerified: ofAllOnly,
  leadsSignedUp: ofAllOnly,
  leadsActivated: ofAllOnly,
  leadsTimed: ofAllOnly.describe('those whose time to first capture is known; null under filters'),
  returningVisitors: count,
  entrances: count,
  landingConversions: count,
  formsStarted: count,
  formsSubmitted: count,
  spendByCurrency: money,
  spendDays: count.describe('days of the window with spend; cost per lead is per all leads of the window'),
  purchases: ofAllOnly,
  revenueByCurrency: money.describe('of purchases by the day of each, by currency, less what was voided'),
  costPerLeadByCurrency: z.record(z.string(), number),
});
const ofSite = count.nullable().describe('of the whole site; null by a link that shows a segment');
const ingest = z.object({
  successPct: share.describe('accepted ÷ (accepted + rejected), 0..1'),
  p95LatencyMs: number,
  p95TtfbMs: number,
  totalEventsAccepted: ofSite,
  totalEventsDuplicate: ofSite,
  totalEventsRejected: ofSite,
  rejectedByReason: counts,
});
const quality = z.object({
  botEvents: ofSite,
  botsByReason: counts,
  staffEvents: ofSite.describe('of visitors marked as staff; in no other number'),
  countriesKnown: z.boolean().describe('false: without GEO_DATABASE every country is unknown'),
  clampedEvents: ofSite,
  lateEvents: ofSite,
  minutesWithoutService: count,
  uniquesMethod: z
    .string()
    .describe(
      'exact; with_day_visitors: some had no id of their own and count once a day, two people behind one address with one browser as one; or exact_but_absences_over_N_days',
    ),
  dayVisitors: count.describe('unique visitors without an id of their own'),
  returningKnownFor: share.describe(
    'share of the visitors with an id of their own: of them returningVisitorsPct tells',
  ),
  uniquesErrorMax: share.describe(
    'the share by which unique visitors may be too many, at most; 0 when exact',
  ),
  sealedDays: count,
  daysInOtherZone: count.describe('counted before the site’s zone was changed, from raw rows that are gone'),
});
const trendDay = z.object({
  day,
  uniqueVisitors: count,
  pageViews: count,
  sessions: count,
  newLeads: ofAllOnly,
  formsSubmitted: count,
  botEvents: ofAllOnly,
  eventsAccepted: ofAllOnly,
  eventsRejected: ofAllOnly,
  partial: z.boolean().describe('the day in progress'),
});

export const summaryShape = z
  .object({
    site: z.object({ siteId: z.uuid(), propertyId: z.string() }),
    timeZone,
    basis,
    window: windowShape,
    compareTo: windowShape.nullable(),
    partial: z.boolean().describe('the window holds the day in progress, so nothing is compared'),
    freshness,
    metrics: z.object({
      ...headlines,
      trafficSourceMix: z.record(z.string(), z.number()).describe('sums to 1, or is empty'),
    }),
    totals,
    ingest: ingest.describe('of all that was sent, also under filters'),
    quality: quality.describe(
      'of all that was counted, also under filters, save dayVisitors and returningKnownFor',
    ),
    trend: z.array(trendDay),
  })
  .meta({ id: 'MetricsSummary' });
export type Summary = z.output<typeof summaryShape>;
