// What came of a test, read whole.
import type { Db } from '../../ground/db/pool.ts';
import { countArms, goalsADay, listVerdicts, readGuards } from './queries.ts';
import type { AbTest, Results } from './schema.ts';
import { daysBetween, judge, needsOf } from './verdict.ts';

/** As its counts stand; what was decided stays so, whatever a late event or a verdict about a visitor changed since. */
export async function standingOf(db: Db, siteId: string, test: AbTest, atMs: number) {
  const until = test.decidedAt ?? test.endedAt;
  const days = test.startedAt ? daysBetween(Date.parse(test.startedAt), until ? Date.parse(until) : atMs) : 0;
  const judged = judge(test, await countArms(db, siteId, test.testId), days);
  const verdict = test.status === 'running' && !test.decidedAt ? judged.verdict : test.verdict;
  return { days, judged, verdict };
}

export async function readResults(db: Db, siteId: string, test: AbTest, atMs: number): Promise<Results> {
  const { days, judged, verdict } = await standingOf(db, siteId, test, atMs);
  const converted = judged.arms.reduce((sum, arm) => sum + arm.converted, 0);
  // after a week its own pace says more than the site's
  const aDay = days >= 7 && converted > 0 ? converted / days : await goalsADay(db, siteId, test.goal);
  return {
    test,
    arms: judged.arms,
    comparisons: judged.comparisons,
    srm: judged.srm,
    guards: await readGuards(db, siteId, test.testId),
    verdict,
    needs: needsOf(test, judged, days, aDay),
    history: await listVerdicts(db, siteId, test.testId),
  };
}
