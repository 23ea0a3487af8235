// How fast pages were for visitors: the five web vitals, from mergeable histograms.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { type Histogram, merge, percentile } from '../../../ground/lib/histogram.ts';
import type { Site } from '../../../ground/site.ts';
import { type DayRow, findDays } from './queries.ts';
import { sum } from './sums.ts';
import { count, type Window } from './window.ts';

const VITALS = { lcp: 'lcpMs', inp: 'inpMs', cls: 'clsScore', fcp: 'fcpMs', ttfb: 'ttfbMs' } as const;

const measure = z.number().nullable().describe('null: never measured');
export const vitalsRow = z.object({
  name: z.enum(VITALS),
  p75: measure,
  p95: measure,
  measured: count,
});

export async function readVitals(
  db: Db,
  site: Site,
  { from, to }: Window,
): Promise<z.output<typeof vitalsRow>[]> {
  return vitalsOf(await findDays(db, site.siteId, from, to, 'all'));
}

/** days  read with all histograms */
export function vitalsOf(days: readonly DayRow[]): z.output<typeof vitalsRow>[] {
  return Object.entries(VITALS).map(([vital, name]) => {
    const all: Histogram = {};
    for (const day of days) merge(all, day.vitals[vital]);
    const unit = vital === 'cls' ? 10_000 : 100;
    return {
      name,
      p75: percentile(all, 0.75, unit),
      p95: percentile(all, 0.95, unit),
      measured: sum(Object.values(all), (count) => count),
    };
  });
}
