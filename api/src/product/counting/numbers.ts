// What became of notifications in some days: how often each was seen and by how many, what they did, and whether it helped.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import { day } from '../../ground/http/fields.ts';
import { addDays, dayIn, daysIn } from '../../ground/lib/days.ts';
import { type Site, timeZoneOf } from '../../ground/site.ts';
import { liftShape, liftsOf } from '../ab-tests/lift.ts';
import { countImpressions, countSeen } from './queries.ts';

export interface Days {
  start: string;
  end: string;
}

// Two days of what is kept are never counted again: some of their rows may be gone already.
const DAYS_OF_PURGE = 2;
/** Of how many days, today's included, every row is still there. */
export const wholeDays = (retentionDays: number): number => retentionDays - DAYS_OF_PURGE;

const TOO_OLD = 'older than events are kept';
const NO_CONTROL = 'no control arm';
const some = z.int().min(0).nullable();
const rate = z.number().min(0).nullable();
export const numbersShape = z
  .object({
    notificationId: z.uuid(),
    window: z.object({ start: day, end: day }),
    impressions: z.int().min(0).describe('stored `proof_shown` of people: no bots, no staff'),
    viewers: some.describe('their distinct visitors, in all of the window; null: see `whyNoViewers`'),
    clickers: some.describe('distinct visitors with a `proof_clicked`'),
    dismissers: some.describe('distinct visitors with a `proof_dismissed`'),
    clickRate: rate.describe(
      'clickers ÷ viewers; clicks are no conversions. null: no viewers, or none are known',
    ),
    dismissRate: rate.describe('dismissers ÷ viewers; null: no viewers, or none are known'),
    whyNoViewers: z
      .enum([TOO_OLD])
      .nullable()
      .describe(
        'the window begins before the first day of which every row is still kept (EVENT_RETENTION_DAYS): viewers of days do not add up to viewers of a window',
      ),
    lift: liftShape
      .nullable()
      .describe(
        'of the test that began last among those of this notification that ran in the window; only against a control arm',
      ),
    why: z.enum([NO_CONTROL]).nullable().describe('why there is no lift'),
  })
  .meta({ id: 'NotificationNumbers' });
export type NotificationNumbers = z.output<typeof numbersShape>;

const over = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Of these notifications, in their order. Inside a transaction of inSites. */
export async function readNumbers(
  db: Db,
  site: Site,
  notificationIds: string[],
  window: Days,
  retentionDays: number,
  atMs: number,
): Promise<NotificationNumbers[]> {
  const { siteId } = site;
  const { start, end } = window;
  const firstWhole = addDays(dayIn(timeZoneOf(site), atMs), 1 - wholeDays(retentionDays));
  const isWhole = start >= firstWhole;
  const seen = await countSeen(db, siteId, notificationIds, {
    start: isWhole ? start : firstWhole,
    end,
  });
  const lastSummed = addDays(firstWhole, -1);
  const before = isWhole
    ? new Map<string, number>()
    : await countImpressions(db, siteId, notificationIds, {
        start,
        end: daysIn(end, lastSummed) > 0 ? end : lastSummed,
      });
  const lifts = await liftsOf(db, siteId, notificationIds, window, atMs);
  return notificationIds.map((notificationId) => {
    const { impressions = 0, viewers = 0, clickers = 0, dismissers = 0 } = seen.get(notificationId) ?? {};
    const lift = lifts.get(notificationId) ?? null;
    return {
      notificationId,
      window,
      impressions: impressions + (before.get(notificationId) ?? 0),
      ...(isWhole
        ? {
            viewers,
            clickers,
            dismissers,
            clickRate: over(clickers, viewers),
            dismissRate: over(dismissers, viewers),
            whyNoViewers: null,
          }
        : {
            viewers: null,
            clickers: null,
            dismissers: null,
            clickRate: null,
            dismissRate: null,
            whyNoViewers: TOO_OLD,
          }),
      lift,
      why: lift ? null : NO_CONTROL,
    };
  });
}
