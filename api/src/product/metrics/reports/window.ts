// What every report is asked with: a window of days, the site, and the form of the answer.
import { z } from 'zod';
import { day, siteName } from '../../../ground/http/fields.ts';
import { dayIn, daysIn, isDay } from '../../../ground/lib/days.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';

const WINDOW_DAYS_MAX = 366;

export const format = z.enum(['json', 'csv']).default('json');
export const siteFields = { propertyId: siteName, format };

/** Adds what is wrong with two days as a window: the first is not after the last, and they are at most 366. */
export function isWindow(
  from: string,
  to: string,
  context: Pick<z.RefinementCtx, 'addIssue'>,
  [first, last]: readonly [string, string],
): void {
  if (!isDay(from) || !isDay(to)) return;
  if (from > to) context.addIssue({ code: 'custom', path: [last], message: `is before ${first}` });
  else if (daysIn(from, to) > WINDOW_DAYS_MAX)
    context.addIssue({
      code: 'custom',
      path: [last],
      message: `at most ${WINDOW_DAYS_MAX} days from ${first}`,
    });
}

/** from ≤ to, at most 366 days; other parameters are dropped. */
export function windowed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object({ from: day, to: day, ...siteFields, ...shape }).superRefine((value, context) => {
    const { from, to } = value as { from: string; to: string };
    isWindow(from, to, context, ['from', 'to']);
  });
}

/** In the document a number, which a query writes as text. */
const wholeNumber =
  (limits: { minimum: number; maximum: number; default: number }) =>
  ({ jsonSchema }: { jsonSchema: object }) => {
    for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as never];
    Object.assign(jsonSchema, { type: 'integer', ...limits });
  };

export const upTo = (max: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(usual)
    .meta({ override: wholeNumber({ minimum: 1, maximum: max, default: usual }) });

export interface Window {
  from: string;
  to: string;
}

/** The day in progress, of the site's zone. Later days have not happened: no answer holds them. */
export const todayOf = (site: Site): string => dayIn(timeZoneOf(site), Date.now());
/** The window as far as it has happened; a window that lies wholly ahead has no days. */
export function happened(site: Site, { from, to }: Window): Window {
  const today = todayOf(site);
  return { from, to: to < today ? to : today };
}
/** SQL: whether a moment lies in the window, $2 to $3 of the days of site $1. */
export const duringWindow = (moment: string): string =>
  `${moment} >= site_day_starts($1, $2::date) and ${moment} < site_day_starts($1, $3::date + 1)`;

export const timeZone = z.string().describe('whose days these are: the site’s setting timeZone, default UTC');
export const windowShape = z.object({ from: day, to: day });
export const count = z.int().min(0);
export const share = z.number().nullable().describe('0..1; null: there is nothing to divide by');
export const ofAllOnly = count.nullable().describe('null under filters: it is no number of visits');
export const basis = z
  .enum(['rollups', 'sessions'])
  .describe('rollups: sums of days; sessions: under filters, counted from the visits themselves');
export const counts = z.record(z.string(), count);
