// What a window's numbers consist of, the largest first.
import { z } from 'zod';
import { AppError } from '../../../ground/lib/app-error.ts';
import { timeZoneOf } from '../../../ground/site.ts';
import { isPersonalProp } from '../../custom-fields/known.ts';
import { isWhole } from '../../segments/filters.ts';
import { byKinds, isOfVisits, kindAnswer, readKind, readSelectedKinds } from './breakdown-by-kind.ts';
import { readSpend, spendRow } from './breakdown-by-spend.ts';
import { readVitals, vitalsRow } from './breakdown-by-vitals.ts';
import { selecting } from './filters.ts';
import { report } from './report.ts';
import { checkDays } from './selected.ts';
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
    ...selecting,
    by: z.union([byKinds, z.enum(['vitals', 'spend'])]).default('pages'),
    limit: upTo(1000, 50),
  }),
  answer,
  selects: true,
  async read(db, site, { from, to, by, limit }, { selection = [], retentionDays }) {
    const window = { from, to };
    if (!isWhole(selection)) {
      if (!isOfVisits(by))
        throw new AppError(
          'invalid_request',
          `Rows by ${by} are kept as sums of all visits. Ask without filters.`,
          {
            issues: [{ path: 'by', message: 'cannot be filtered' }],
          },
        );
      await checkDays(db, site, window, retentionDays);
      return (await readSelectedKinds(db, site, window, [by], limit, selection)).get(by)!;
    }
    if (by === 'vitals')
      return { timeZone: timeZoneOf(site), window, by, rows: await readVitals(db, site, window) };
    if (by === 'spend')
      return { timeZone: timeZoneOf(site), window, by, rows: await readSpend(db, site, window, limit) };
    if (by.startsWith('prop:') && (await isPersonalProp(db, site.siteId, by.slice(5))))
      throw new AppError(
        'forbidden',
        'This prop is a personal custom field, whose values are in no numbers. Where they say nothing of a person, change its field.',
      );
    return readKind(db, site, window, by, limit);
  },
  withoutMoney(shown) {
    if (shown.by !== 'spend') return shown;
    throw new AppError('forbidden', 'This link shows no money. Ask for another breakdown.');
  },
  rows: ({ rows }) => rows,
});
