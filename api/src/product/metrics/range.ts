// What the jobs that count days again may be told: rollup, discrepancy, ledger.
import { z } from 'zod';
import { day, propertyId } from '../../ground/http/fields.ts';
import { daysIn } from '../../ground/lib/days.ts';

const RANGE_DAYS_MAX = 1500;

export const rangeOptions = z
  .object({ from: day.optional(), to: day.optional(), propertyId: propertyId.optional() })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), {
    path: ['to'],
    message: 'give both from and to, or neither',
  })
  .refine(({ from, to }) => !from || !to || (from <= to && daysIn(from, to) <= RANGE_DAYS_MAX), {
    path: ['to'],
    message: `from ≤ to, at most ${RANGE_DAYS_MAX} days`,
  });
