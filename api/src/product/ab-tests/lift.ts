// What a notification did, as far as anybody can know: by a test of it, against who was shown nothing.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import { lastTests, testsDuring } from './queries.ts';
import { standingOf } from './results.ts';
import { arm, comparison, testShape, VERDICTS } from './schema.ts';

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

export const testedShape = z
  .object({
    testId: z.uuid(),
    notificationId: z.uuid(),
    status: testShape.shape.status,
    verdict: z.enum(VERDICTS).describe('`invalid`: nothing may be concluded from its comparisons'),
    arms: z.array(arm).describe('control first; over the whole test'),
    comparisons: z.array(comparison).describe('each variant against control'),
  })
  .meta({ id: 'TestedInWindow' });

/** Tests that ran in these days of the site, the newest first. Inside a transaction of inSites. */
export async function liftsDuring(
  db: Db,
  siteId: string,
  window: { start: string; end: string },
  atMs: number,
): Promise<z.output<typeof testedShape>[]> {
  const found: z.output<typeof testedShape>[] = [];
  for (const test of await testsDuring(db, siteId, window)) {
    const { judged, verdict } = await standingOf(db, siteId, test, atMs);
    const { testId, notificationId, status } = test;
    found.push({
      testId,
      notificationId,
      status,
      verdict,
      arms: judged.arms,
      comparisons: judged.comparisons,
    });
  }
  return found;
}
