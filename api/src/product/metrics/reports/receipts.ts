// The receipt of a number: what it means, what it was divided from, how many rows it was made of, what was left out, when it
// was counted, and whether it was checked since.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { utc } from '../../../ground/http/fields.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { HEADLINES, type Headline } from './headline.ts';
import { type DayRow, findDays } from './queries.ts';
import { report } from './report.ts';
import { readSummary } from './summary.ts';
import type { Summary } from './summary-shape.ts';
import { addUp, sum } from './sums.ts';
import { count, counts, happened, timeZone, type Window, windowed, windowShape } from './window.ts';

/** A part of a number: its name, and how much of it there was. */
type Part = readonly [name: string, value: number];

interface Meaning {
  definition: string;
  numerator(summary: Summary, days: readonly DayRow[]): Part;
  /** Absent: the number is a count. */
  denominator?(summary: Summary, days: readonly DayRow[]): Part;
  /** What its rows are: visits, or leads. */
  of: 'visits' | 'leads';
}

const leads = ({ totals }: Summary): Part => ['leads first captured in the window', totals.leads ?? 0];
const visitors = ({ metrics }: Summary): Part => ['unique visitors', metrics.uniqueVisitors.value ?? 0];
const sessions = ({ metrics }: Summary): Part => ['sessions', metrics.sessions.value ?? 0];
const views = ({ metrics }: Summary): Part => ['page views', metrics.totalPageViews.value ?? 0];
const entrances = ({ totals }: Summary): Part => ['sessions with an entrance', totals.entrances];

const MEANINGS: Record<Headline, Meaning> = {
  uniqueVisitors: {
    definition:
      'Distinct visitors with a human event in the window, never the sum of days; who has no id of their own counts once a day.',
    numerator: visitors,
    of: 'visits',
  },
  returningVisitorsPct: {
    definition:
      'Of the visitors with an id of their own, the share first seen before the window’s first day.',
    numerator: ({ totals }) => ['of them seen before the window', totals.returningVisitors],
    denominator: ({ metrics, quality }) => [
      'visitors with an id of their own',
      (metrics.uniqueVisitors.value ?? 0) - quality.dayVisitors,
    ],
    of: 'visits',
  },
  totalPageViews: { definition: 'Page views by people in the window.', numerator: views, of: 'visits' },
  sessions: {
    definition: 'Visits that began in the window; 30 minutes of silence or another campaign end one.',
    numerator: sessions,
    of: 'visits',
  },
  leadCaptureRate: {
    definition: 'Leads first captured in the window ÷ unique visitors.',
    numerator: leads,
    denominator: visitors,
    of: 'leads',
  },
  formCompletionRate: {
    definition: 'Of lead forms: distinct (session, form) submitted ÷ distinct (session, form) started.',
    numerator: ({ totals }) => ['forms submitted', totals.formsSubmitted],
    denominator: ({ totals }) => ['forms started', totals.formsStarted],
    of: 'visits',
  },
  landingPageConversionRate: {
    definition: 'Sessions with an entrance that later converted ÷ sessions with an entrance.',
    numerator: ({ totals }) => ['of them converted', totals.landingConversions],
    denominator: entrances,
    of: 'visits',
  },
  avgTimeToFirstCaptureHrs: {
    definition: 'Mean hours from a visitor’s first sight to the capture of the lead they became.',
    numerator: ({ metrics, totals }) => [
      'hours',
      (metrics.avgTimeToFirstCaptureHrs.value ?? 0) * (totals.leadsTimed ?? 0),
    ],
    denominator: ({ totals }) => ['leads whose time is known', totals.leadsTimed ?? 0],
    of: 'leads',
  },
  emailVerificationRate: {
    definition:
      'Leads first captured in the window whose address was verified ÷ those leads; null where no address is verified.',
    numerator: ({ totals }) => ['of them verified', totals.leadsVerified ?? 0],
    denominator: leads,
    of: 'leads',
  },
  costPerLead: {
    definition:
      'What advertising cost in the window ÷ leads first captured in it; null without spend, or with several currencies.',
    numerator: ({ totals }) => ['spend', sum(Object.values(totals.spendByCurrency), (amount) => amount)],
    denominator: leads,
    of: 'leads',
  },
  leadToSignupRate: {
    definition: 'Leads first captured in the window that signed up, then or later ÷ those leads.',
    numerator: ({ totals }) => ['of them signed up', totals.leadsSignedUp ?? 0],
    denominator: leads,
    of: 'leads',
  },
  leadToActivationRate: {
    definition: 'Leads first captured in the window that were activated, then or later ÷ those leads.',
    numerator: ({ totals }) => ['of them activated', totals.leadsActivated ?? 0],
    denominator: leads,
    of: 'leads',
  },
  pagesPerSession: {
    definition: 'Page views ÷ sessions.',
    numerator: views,
    denominator: sessions,
    of: 'visits',
  },
  bounceRate: {
    definition:
      'Sessions with one page view, under ten seconds of attention and no deed ÷ sessions with an entrance.',
    numerator: (_, days) => ['of them bounced', sum(days, (day) => day.bounces)],
    denominator: entrances,
    of: 'visits',
  },
  avgEngagedSeconds: {
    definition:
      'Attention (page in view and in use) in sessions with an entrance, in seconds ÷ those sessions.',
    numerator: (_, days) => ['seconds of attention', sum(days, (day) => day.engagedMs) / 1000],
    denominator: entrances,
    of: 'visits',
  },
};

const part = z.object({ name: z.string(), value: z.number() });
const answer = z
  .object({
    timeZone,
    window: windowShape,
    metric: z.enum(HEADLINES),
    value: z.number().nullable(),
    definition: z.string(),
    formula: z.string(),
    numerator: part,
    denominator: part.nullable().describe('null: the number is a count'),
    rows: counts.describe('by table, what the number was made of'),
    leftOut: z.object({
      bots: count.describe('events'),
      botsByReason: counts,
      staff: count.describe('events'),
      duplicates: count,
      rejected: counts.describe('by reason'),
    }),
    computedAt: utc,
    rolledUpAt: utc.nullable().describe('when the newest day that is counted was'),
    sealedDays: count.describe('days of the window whose raw rows are gone: their sums stand as they are'),
    checks: z.array(
      z.object({
        name: z.enum(['ledger', 'discrepancy']),
        at: utc.nullable(),
        ok: z.boolean().nullable().describe('null: not known'),
      }),
    ),
    drill: z.string().describe('where the rows behind it stand'),
  })
  .meta({ id: 'MetricsReceipt' });
type Check = z.output<typeof answer>['checks'][number];

/** Of the nightly comparison of rollups with raw rows: whether it found something wrong at this site in these days. */
async function lastComparison(db: Db, siteId: string, { from, to }: Window): Promise<Check> {
  const { rows } = await db.query<{ at: string; ok: boolean | null }>({
    name: 'metric_last_comparison',
    text: `select instant_text(finished_at) as at, case
         when exists (select from jsonb_array_elements(result -> 'differences') d where d ->> 'siteId' = $1::text and d ->> 'day' between $2::text and $3::text) then false
         -- no more than the first are written down
         when (result ->> 'discrepancies')::int > jsonb_array_length(result -> 'differences') then null else true end as ok
       from job_runs where job = 'discrepancy' and state = 'succeeded' order by run_id desc limit 1`,
    values: [siteId, from, to],
  });
  return { name: 'discrepancy', at: rows[0]?.at ?? null, ok: rows[0]?.ok ?? null };
}

async function countRows(db: Db, site: Site, window: Window, of: Meaning['of'], days: readonly DayRow[]) {
  const rows: Record<string, number> = {
    events: sum(days, (day) => day.humanEvents),
    daily_metric_rollups: days.filter((day) => day.humanEvents > 0 || day.botEvents > 0).length,
  };
  if (of === 'visits') return rows;
  const { rows: found } = await db.query<{ leads: number; spend: number }>({
    name: 'metric_receipt_rows',
    text: `select (select count(*) from lead_facts where site_id = $1 and day between $2::date and $3::date) as leads,
       (select count(*) from ad_spend where site_id = $1 and day between $2::date and $3::date) as spend`,
    values: [site.siteId, window.from, window.to],
  });
  return { ...rows, lead_facts: found[0]!.leads, ad_spend: found[0]!.spend };
}

export const receipts = report({
  name: 'receipts',
  says: 'The receipt of a headline number: its meaning, parts, rows, what was left out, when it was counted and checked',
  query: windowed({ metric: z.enum(HEADLINES) }),
  answer,
  bucket: 'summary',
  async read(db, site, { from, to, metric }, facts) {
    const window = { from, to };
    const past = happened(site, window);
    const { definition, numerator, denominator, of } = MEANINGS[metric];
    const summary = await readSummary(db, site, window, null, facts);
    const days = await findDays(db, site.siteId, past.from, past.to);
    const top = numerator(summary, days);
    const bottom = denominator?.(summary, days) ?? null;
    const off = sum(days, (day) => day.received - day.accepted - day.duplicate - day.rejected);
    const computedAt = new Date().toISOString();
    const { quality, ingest, freshness } = summary;
    const query = new URLSearchParams({ propertyId: site.key, from, to });
    return {
      timeZone: timeZoneOf(site),
      window,
      metric,
      value: summary.metrics[metric].value,
      definition,
      formula: bottom ? `${top[0]} ÷ ${bottom[0]}` : top[0],
      numerator: { name: top[0], value: top[1] },
      denominator: bottom && { name: bottom[0], value: bottom[1] },
      rows: await countRows(db, site, past, of, days),
      leftOut: {
        bots: quality.botEvents ?? 0,
        botsByReason: quality.botsByReason,
        staff: quality.staffEvents ?? 0,
        duplicates: sum(days, (day) => day.duplicate),
        rejected: addUp(days.map((day) => day.rejectedByReason)),
      },
      computedAt,
      rolledUpAt: freshness.generatedAt,
      sealedDays: quality.sealedDays,
      checks: [
        { name: 'ledger' as const, at: computedAt, ok: off === 0 && ingest.totalEventsAccepted !== null },
        await lastComparison(db, site.siteId, past),
      ],
      drill: of === 'leads' ? `/v1/metrics/leads?${query}` : `/v1/metrics/breakdown?${query}&by=entrances`,
    };
  },
  rows: ({ metric, value, numerator, denominator, rows, leftOut, sealedDays }) => [
    { part: metric, value },
    { part: numerator.name, value: numerator.value },
    ...(denominator ? [{ part: denominator.name, value: denominator.value }] : []),
    ...Object.entries(rows).map(([table, n]) => ({ part: `rows.${table}`, value: n })),
    { part: 'leftOut.bots', value: leftOut.bots },
    { part: 'leftOut.staff', value: leftOut.staff },
    { part: 'leftOut.duplicates', value: leftOut.duplicates },
    ...Object.entries(leftOut.rejected).map(([reason, n]) => ({ part: `leftOut.${reason}`, value: n })),
    { part: 'sealedDays', value: sealedDays },
  ],
});
