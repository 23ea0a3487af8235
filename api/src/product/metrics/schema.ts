// What may be asked of metrics, and what the answers look like.
import { z } from 'zod';
import { daysIn, isDay } from '../../ground/lib/days.ts';

export const WINDOW_DAYS_MAX = 366;
const YES = ['1', 'true', 'yes', 'on'];

export const day = z
  .string()
  .refine(isDay, 'a real day such as 2026-02-28')
  .meta({ format: 'date', description: 'UTC day, YYYY-MM-DD' });
const propertyId = z.string().trim().min(1).max(128).optional().describe('which site; default: default');
const format = z.enum(['json', 'csv']).default('json');

const windowFields = { from: day, to: day, propertyId, format };

/** from ≤ to, at most 366 days; other parameters are dropped. */
export function windowed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object({ ...windowFields, ...shape }).superRefine((value, context) => {
    const { from, to } = value as { from: string; to: string };
    if (!isDay(from) || !isDay(to)) return;
    if (from > to) context.addIssue({ code: 'custom', path: ['to'], message: 'is before from' });
    else if (daysIn(from, to) > WINDOW_DAYS_MAX)
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: `at most ${WINDOW_DAYS_MAX} days from from`,
      });
  });
}

const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum([...YES, '0', 'false', 'no', 'off']))
  .transform((word) => YES.includes(word));
const name = z.string().trim().min(1).max(255).optional();
const upTo = (max: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(usual);

export const summaryQuery = windowed({
  compareTo: flag
    .default(false)
    .describe('1/true/yes/on: with the window of the same length directly before'),
});

export const seriesQuery = windowed({ interval: z.enum(['day', 'week', 'month']).default('day') });
export const breakdownQuery = windowed({
  by: z
    .enum([
      'pages',
      'entrances',
      'exits',
      'sources',
      'campaigns',
      'referrers',
      'devices',
      'browsers',
      'os',
      'countries',
      'events',
      'forms',
      'vitals',
      'spend',
    ])
    .default('pages'),
  limit: upTo(1000, 50),
});
export const cohortsQuery = windowed({ weeks: upTo(52, 12) });
export const attributionQuery = windowed({ of: z.enum(['lead', 'signup', 'activation']).default('lead') });
export const leadsQuery = windowed({
  source: name,
  campaign: name,
  detail: z
    .string()
    .trim()
    .max(512)
    .optional()
    .describe('as in a row of breakdown by campaigns; empty: no utm source nor medium'),
  paidSource: name.describe('as in a row of breakdown by spend'),
  paidCampaign: name,
  domainClass: z.enum(['free_mail', 'business', 'disposable']).optional(),
  verified: flag.optional(),
  signedUp: flag.optional(),
  activated: flag.optional(),
  timed: flag.optional().describe('whether the time to their first capture is known'),
  after: z.uuid().optional().describe('leadId of the last one of the page before (next)'),
  limit: upTo(1000, 100),
});
export const windowQuery = windowed({});
export const realtimeQuery = z.object({ propertyId, format });

const count = z.int().min(0);
const share = z.number().nullable();
const metric = z.object({ value: share, delta: share });
const counts = z.record(z.string(), z.number());

export const windowShape = z.object({ from: day, to: day });
export const summaryShape = z
  .object({
    ok: z.literal(true),
    site: z.object({ siteId: z.uuid(), propertyId: z.string() }),
    window: windowShape,
    compareTo: windowShape.nullable(),
    freshness: z.object({
      rolledUpThrough: day.nullable(),
      lagDays: z.int().nullable(),
      generatedAt: z.iso.datetime().nullable(),
    }),
    metrics: z.object({
      uniqueVisitors: metric,
      returningVisitorsPct: metric,
      totalPageViews: metric,
      sessions: metric,
      leadCaptureRate: metric,
      formCompletionRate: metric,
      landingPageConversionRate: metric,
      avgTimeToFirstCaptureHrs: metric,
      emailVerificationRate: metric,
      costPerLead: metric,
      leadToSignupRate: metric,
      leadToActivationRate: metric,
      trafficSourceMix: counts.describe('sums to 1, or is empty'),
    }),
    totals: z.looseObject({ leads: count }),
    ingest: z.object({
      successPct: share.describe('accepted ÷ (accepted + rejected), 0..1'),
      p95LatencyMs: share,
      p95TtfbMs: share,
      totalEventsAccepted: count,
      totalEventsDuplicate: count,
      totalEventsRejected: count,
      rejectedByReason: counts,
    }),
    quality: z.object({
      botEvents: count,
      botsByReason: counts,
      clampedEvents: count,
      lateEvents: count,
      minutesWithoutService: count,
      uniquesMethod: z.string(),
      uniquesErrorMax: share.describe(
        'the share by which unique visitors may be too many, at most; 0 when exact',
      ),
      sealedDays: count,
    }),
    trend: z.array(
      z.looseObject({ day, uniqueVisitors: count, pageViews: count, sessions: count, newLeads: count }),
    ),
  })
  .meta({ id: 'MetricsSummary' });

/** What the jobs rollup and discrepancy may be told. */
export const rangeOptions = z
  .object({
    from: day.optional(),
    to: day.optional(),
    propertyId: z.string().trim().min(1).max(128).optional(),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), {
    path: ['to'],
    message: 'give both from and to, or neither',
  })
  .refine(({ from, to }) => !from || !to || (from <= to && daysIn(from, to) <= 1500), {
    path: ['to'],
    message: 'from ≤ to, at most 1500 days',
  });

const row = z.looseObject({});
const okWindow = { ok: z.literal(true), window: windowShape };
export const seriesShape = z
  .object({
    ...okWindow,
    interval: z.string(),
    series: z.array(z.looseObject({ from: day, to: day, uniqueVisitors: count })),
  })
  .meta({ id: 'MetricsSeries' });
export const breakdownShape = z
  .looseObject({ ...okWindow, by: z.string(), rows: z.array(row) })
  .meta({ id: 'MetricsBreakdown' });
export const cohortsShape = z
  .object({
    ...okWindow,
    weeks: count,
    cohorts: z.array(z.looseObject({ week: day, source: z.string(), captured: count })),
  })
  .meta({ id: 'MetricsCohorts' });
export const attributionShape = z
  .looseObject({ ...okWindow, of: z.string(), conversions: count, rows: z.array(row) })
  .meta({ id: 'MetricsAttribution' });
export const qualityShape = z
  .looseObject({ ...okWindow, domains: row, days: z.array(z.looseObject({ day })) })
  .meta({ id: 'MetricsQuality' });
export const realtimeShape = z
  .looseObject({ ok: z.literal(true), activeVisitors: count, minutes: z.array(row) })
  .meta({ id: 'MetricsRealtime' });
export const leadsShape = z
  .object({
    ...okWindow,
    total: count,
    next: z.uuid().nullable(),
    leads: z.array(z.looseObject({ leadId: z.uuid() })),
  })
  .meta({ id: 'MetricsLeads' });
