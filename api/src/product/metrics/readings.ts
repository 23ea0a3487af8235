// What the numbers tell about themselves: how far they reach, and whether they are right.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { day } from '../../ground/http/fields.ts';
import type { Sites } from '../sites/recognise.ts';
import { rollupStatus } from './rollup.ts';

const count = z.int().min(0);
const rollupShape = z.object({
  rolledUpThrough: day.nullable(),
  lagDays: z.int().nullable(),
  discrepancies: count.nullable(),
  imbalances: count
    .nullable()
    .describe('site days that did not balance when the job "ledger" looked last, of all that are kept'),
});

export const metricsReadings = [
  reading<{ db: Pool; sites: Sites }, z.output<typeof rollupShape>>({
    name: 'rollup',
    shape: rollupShape,
    read: ({ db, sites }) => rollupStatus(db, sites.ids()),
    line: ({ rolledUpThrough, lagDays }) =>
      `through ${rolledUpThrough ?? 'no day yet'}, lag ${lagDays ?? 0} days`,
    rules: [
      {
        id: 'rollup_lag',
        minutes: 10,
        when: 'the numbers end more than a day ago',
        check: ({ lagDays }) =>
          lagDays !== null && lagDays > 1
            ? warning(`The numbers end ${lagDays} days ago; see the job "rollup"`)
            : null,
      },
      {
        id: 'discrepancy',
        minutes: 1,
        when: 'raw events and rollups differ on any day that has both',
        check: ({ discrepancies }) =>
          discrepancies
            ? critical(
                `${discrepancies} numbers differ from the raw events. Their days are counted again within minutes; ` +
                  'marketing rollups discrepancy (POST /v1/admin/jobs/discrepancy) compares anew and ends this alarm',
              )
            : null,
      },
    ],
  }),
];
