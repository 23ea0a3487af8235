// What every report is asked with: a window of days, the site, and the form of the answer.
import { z } from 'zod';
import { day, siteName } from '../../../ground/http/fields.ts';
import { dayOf, daysIn, isDay } from '../../../ground/lib/days.ts';
import type { Site } from '../../../ground/site.ts';

const WINDOW_DAYS_MAX = 366;
const YES = ['1', 'true', 'yes', 'on'];

export const siteFields = { propertyId: siteName, format: z.enum(['json', 'csv']).default('json') };

/** from ≤ to, at most 366 days; other parameters are dropped. */
export function windowed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object({ from: day, to: day, ...siteFields, ...shape }).superRefine((value, context) => {
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

export const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum([...YES, '0', 'false', 'no', 'off']))
  .transform((word) => YES.includes(word));

export const upTo = (max: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(usual);

export interface Window {
  from: string;
  to: string;
}

/** The day in progress. Later days have not happened: no answer holds them. */
export const todayOf = (_site: Site): string => dayOf(Date.now());
/** The window as far as it has happened; a window that lies wholly ahead has no days. */
export function happened(site: Site, { from, to }: Window): Window {
  const today = todayOf(site);
  return { from, to: to < today ? to : today };
}

export const windowShape = z.object({ from: day, to: day });
export const count = z.int().min(0);
export const share = z.number().nullable().describe('0..1; null: there is nothing to divide by');
export const counts = z.record(z.string(), count);
