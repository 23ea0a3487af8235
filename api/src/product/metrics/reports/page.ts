// What one page of the dashboard shows, in one answer: headline, series and the window before it, the ten largest of each
// kind, and how far all of it can be trusted. One request and one transaction, where it would be a dozen.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { readAnnotations } from '../../notes/annotations.ts';
import { ANNOTATIONS_MAX, noteShape } from '../../notes/schema.ts';
import { isWhole } from '../../segments/filters.ts';
import { kindAnswer, readKind, readSelectedKinds } from './breakdown-by-kind.ts';
import { vitalsOf, vitalsRow } from './breakdown-by-vitals.ts';
import { comparedWith, match, versus } from './compare.ts';
import { selecting } from './filters.ts';
import { importedShape, readImported } from './imported.ts';
import { findDays } from './queries.ts';
import { type Facts, report } from './report.ts';
import { checkDays, keptBefore } from './selected.ts';
import { readSelectedSummary } from './selected-summary.ts';
import { readSummary, summaryOfSelection, summaryWithoutMoney } from './summary.ts';
import { summaryShape } from './summary-shape.ts';
import { flat, sum } from './sums.ts';
import { interval, readSelectedSeries, readSeries, seriesRow } from './timeseries.ts';
import { trustOf, trustShape } from './trust.ts';
import { happened, type Window, windowed } from './window.ts';

const ROWS = 10;
const PANELS = [
  'sources',
  'campaigns',
  'referrers',
  'pages',
  'entrances',
  'exits',
  'countries',
  'devices',
  'browsers',
  'os',
  'events',
  'forms',
] as const;
type Panel = (typeof PANELS)[number];

const panel = kindAnswer.pick({ totals: true, rows: true }).meta({ id: 'MetricsPanel' });
const kept = z
  .object({
    summary: summaryShape,
    interval,
    series: z.array(seriesRow),
    seriesBefore: z.array(seriesRow).describe('of the window compared with; empty without one'),
    breakdowns: z.object(
      Object.fromEntries(PANELS.map((name) => [name, panel])) as Record<Panel, typeof panel>,
    ),
    vitals: z.array(vitalsRow).describe('empty under filters'),
    imported: importedShape
      .nullable()
      .describe('null under filters: what another tool counted were no visits'),
    trust: trustShape,
  })
  .meta({ id: 'MetricsPageKept' });
const answer = kept
  .extend({
    annotations: z
      .array(noteShape)
      .describe(
        `notes on these days in their order, one’s own among them, of more than ${ANNOTATIONS_MAX} the newest; none by a link`,
      ),
  })
  .meta({ id: 'MetricsPage' });

/** What of it is the same for everybody. */
export type KeptPage = z.output<typeof kept>;
export type MetricsPage = z.output<typeof answer>;

async function readPanels(db: Db, site: Site, window: Window) {
  const panels: [Panel, z.output<typeof panel>][] = [];
  for (const by of PANELS) {
    const { totals, rows } = await readKind(db, site, window, by, ROWS);
    panels.push([by, { totals, rows }]);
  }
  return Object.fromEntries(panels) as Record<Panel, z.output<typeof panel>>;
}

/** The same of some visits. What is counted of no visits is left out: of the panels events and forms, loading times, imports. */
async function readSelected(
  db: Db,
  site: Site,
  window: Window,
  wanted: Window | null,
  every: z.output<typeof interval>,
  facts: Facts,
): Promise<KeptPage> {
  const { selection = [], retentionDays } = facts;
  await checkDays(db, site, window, retentionDays);
  const before = await keptBefore(db, site, wanted, retentionDays);
  const panels = await readSelectedKinds(db, site, window, PANELS, ROWS, selection);
  const summary = await readSelectedSummary(db, site, window, before, facts);
  const past = happened(site, window);
  const days = await findDays(db, site.siteId, past.from, past.to);
  return {
    summary,
    interval: every,
    series: await readSelectedSeries(db, site, window, every, selection),
    seriesBefore: before ? await readSelectedSeries(db, site, before, every, selection) : [],
    breakdowns: Object.fromEntries(
      PANELS.map((by) => [by, { totals: panels.get(by)!.totals, rows: panels.get(by)!.rows }]),
    ) as KeptPage['breakdowns'],
    vitals: [],
    imported: null,
    trust: trustOf(
      summary,
      sum(days, (day) => day.received),
    ),
  };
}

export const page = report({
  name: 'page',
  says: 'Everything that the overview of the dashboard shows, in one answer',
  query: windowed({ ...selecting, vs: versus, match, interval: interval.default('day') }),
  answer: kept,
  beside: {
    answer,
    read: async (db, { siteId }, { from, to }, caller) => ({
      annotations: await readAnnotations(db, siteId, { from, to }, caller),
    }),
  },
  bucket: 'summary',
  selects: true,
  async read(db, site, { from, to, vs, match: by, interval: every }, facts) {
    const window = { from, to };
    const before = comparedWith(window, vs, by);
    if (!isWhole(facts.selection ?? [])) return readSelected(db, site, window, before, every, facts);
    const summary = await readSummary(db, site, window, before, facts);
    const past = happened(site, window);
    const imported = await readImported(db, site.siteId, window);
    const days = await findDays(db, site.siteId, past.from, past.to, 'all');
    return {
      summary,
      interval: every,
      series: await readSeries(db, site, window, every),
      seriesBefore: before ? await readSeries(db, site, before, every) : [],
      breakdowns: await readPanels(db, site, window),
      vitals: vitalsOf(days),
      imported,
      trust: trustOf(
        summary,
        sum(days, (day) => day.received),
        new Set(imported?.days.map(({ day }) => day)).size,
      ),
    };
  },
  ofSelectionAlone: ({ trust, ...shown }) => ({
    ...shown,
    summary: summaryOfSelection(shown.summary),
    trust: { ...trust, remarks: trust.remarks.map(({ code }) => ({ code, n: 1 })) },
  }),
  withoutMoney: (shown) => ({ ...shown, summary: summaryWithoutMoney(shown.summary) }),
  rows: ({ summary: { metrics, totals }, trust }) => {
    const { trafficSourceMix, ...headlines } = metrics;
    return [
      ...Object.entries(headlines).map(([metric, { value, delta }]) => ({
        metric,
        value,
        delta,
        trust: trust.level,
      })),
      ...flat({ trafficSourceMix, totals }).map(([metric, value]) => ({
        metric,
        value,
        delta: null,
        trust: trust.level,
      })),
    ];
  },
});
