// What a notification did, as far as anybody can know: by a test of it, against who was shown nothing.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import { lastTests } from './queries.ts';
import { standingOf } from './results.ts';
import { comparison, VERDICTS } from './schema.ts';

export const liftShape = z
  .object({
    testId: z.uuid(),
    verdict: z.enum(VERDICTS).describe('`invalid`: nothing may be concluded from its comparisons'),
    comparisons: z.array(comparison).describe('each variant against control, over the whole test'),
  })
  .meta({ id: 'NotificationLift' });
export type Lift = z.output<typeof liftShape>;

/** By notification; what is missing was not tested in these days of the site. Inside a transaction of inSites. */
export async function liftsOf(
  db: Db,
  siteId: string,
  notificationIds: string[],
  window: { start: string; end: string },
  atMs: number,
): Promise<Map<string, Lift>> {
  const lifts = new Map<string, Lift>();
  for (const test of await lastTests(db, siteId, notificationIds, window)) {
    const { judged, verdict } = await standingOf(db, siteId, test, atMs);
    lifts.set(test.notificationId, { testId: test.testId, verdict, comparisons: judged.comparisons });
  }
  return lifts;
}
