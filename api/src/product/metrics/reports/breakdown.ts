// What a window's numbers consist of, the largest first.
import { z } from 'zod';
import { timeZoneOf } from '../../../ground/site.ts';
import { byKinds, kindAnswer, readKind } from './breakdown-by-kind.ts';
import { readSpend, spendRow } from './breakdown-by-spend.ts';
import { readVitals, vitalsRow } from './breakdown-by-vitals.ts';
import { report } from './report.ts';
import { timeZone, upTo, windowed, windowShape } from './window.ts';

const answer = z
  .union([
    kindAnswer,
    z.object({ timeZone, window: windowShape, by: z.literal('vitals'), rows: z.array(vitalsRow) }),
    z.object({ timeZone, window: windowShape, by: z.literal('spend'), rows: z.array(spendRow) }),
  ])
  .meta({ id: 'MetricsBreakdown' });

export const breakdown = report({
  name: 'breakdown',
  says: 'What the numbers consist of: pages, entrances, exits, sources, campaigns, utm fields, referrers, devices, …',
  query: windowed({
    by: z.union([byKinds, z.enum(['vitals', 'spend'])]).default('pages'),
    limit: upTo(1000, 50),
  }),
  answer,
  async read(db, site, { from, to, by, limit }) {
    const window = { from, to };
    if (by === 'vitals')
      return { timeZone: timeZoneOf(site), window, by, rows: await readVitals(db, site, window) };
    if (by === 'spend')
      return { timeZone: timeZoneOf(site), window, by, rows: await readSpend(db, site, window, limit) };
    return readKind(db, site, window, by, limit);
  },
  rows: ({ rows }) => rows,
});
