// What the numbers tell about themselves: how far they reach, and whether they are right.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { STANDBY_STATES } from '../../ground/db/standby.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { day } from '../../ground/http/fields.ts';
import { numbersOfAll } from '../sites/across.ts';
import type { Sites } from '../sites/recognise.ts';
import type { Numbers } from './numbers.ts';
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

const fullDaysShape = z
  .object({
    names: count.describe('site days with more names of a kind, or more properties, than are kept apart'),
    conversions: count.describe('site days on which browsers told of more conversions than are kept'),
    sites: count,
  })
  .describe('of today and yesterday');

const standbyShape = z
  .object({
    state: z.enum(['off', ...STANDBY_STATES]).describe('off: METRICS_DATABASE_URL is not set'),
    readings: z
      .object({ standby: count, primary: count })
      .describe('of numbers, by this process since its start; kept answers are none'),
  })
  .describe('the hot standby that numbers are read from; while it is not serving, the primary answers');

const STANDBY_WORDS = {
  away: 'does not answer',
  behind: 'is more than 10 s behind',
  promoted: 'is none any more: METRICS_DATABASE_URL names a server that was promoted',
  refused: 'cannot be used as METRICS_DATABASE_URL says: the log says what to change',
};

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
  reading<{ db: Pool; sites: Sites }, z.output<typeof fullDaysShape>>({
    name: 'fullDays',
    shape: fullDaysShape,
    read: (house) =>
      numbersOfAll(
        house,
        `select count(distinct (site_id, day)) filter (where what <> 'conversions')::int as names,
           count(*) filter (where what = 'conversions')::int as conversions, count(distinct site_id)::int as sites
         from full_days where day >= current_date - 1`,
      ),
    line: ({ names, conversions, sites }) =>
      sites === 0
        ? null
        : `${sites} SITES WERE SENT MORE THAN IS KEPT APART: names on ${names} site days, conversions of browsers on ${conversions}`,
    rules: [
      {
        id: 'full_days',
        minutes: 10,
        when: 'a site was sent more names or conversions in a day than are kept apart',
        check: ({ sites }) =>
          sites > 0
            ? warning(
                `${sites} sites were sent more made-up names, properties or signups than a day keeps apart; the rest is counted as (other), ` +
                  'or as events alone. GET /v1/metrics/breakdown by events and pages shows what it is; POST /v1/admin/bots takes a visitor out',
              )
            : null,
      },
    ],
  }),
  reading<{ numbers: Numbers }, z.output<typeof standbyShape>>({
    name: 'standby',
    shape: standbyShape,
    read: async ({ numbers }) => numbers.told(),
    line({ state, readings }) {
      if (state === 'off') return null;
      if (state === 'serving') return `numbers are read from it (${readings.standby} since the start)`;
      return `THE STANDBY ${STANDBY_WORDS[state]}: numbers are read from the primary`;
    },
    rules: [
      {
        id: 'metrics_standby',
        minutes: 10,
        when: 'numbers are read from the primary, because the standby is away, behind, promoted or not to be used',
        check: ({ state }) =>
          state === 'off' || state === 'serving'
            ? null
            : warning(
                `The standby for numbers ${STANDBY_WORDS[state]}. Answers are right and go on from the primary, which carries them as well; ` +
                  'bring the standby back, or take METRICS_DATABASE_URL away',
              ),
      },
    ],
  }),
];
