// Which tests run, as ingestion asks it: kept for seconds, since a batch of exposures is not to cost a query each. Whether a test
// really runs is asked once more where the exposure is stored.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { armOf, type Split } from './arm.ts';

const KEPT_MS = 5000;
/** After so long a test that is not among them is looked for again: it may have begun just now. */
const MISSED_MS = 1000;

interface Running {
  test_id: string;
  notification_id: string;
  split: Split;
}

export interface RunningTests {
  /** undefined: that test does not run with this notification */
  armOf(siteId: string, notificationId: string, testId: string, anonId: string): Promise<string | undefined>;
  /** A test of this site began or ended. */
  forget(siteId: string): void;
}

export function runningTests(db: Pool): RunningTests {
  // as many as there are sites, which administrators make
  const known = new Map<string, { at: number; tests: Promise<Running[]> }>();

  function ask(siteId: string): Promise<Running[]> {
    const tests = inSites(db, siteId, async (tx) => {
      const { rows } = await tx.query<Running>(
        "select test_id, notification_id, split from ab_tests where site_id = $1 and status = 'running'",
        [siteId],
      );
      return rows;
    });
    known.set(siteId, { at: performance.now(), tests });
    tests.catch(() => known.delete(siteId));
    return tests;
  }

  return {
    async armOf(siteId, notificationId, testId, anonId) {
      const find = async (tests: Promise<Running[]>) =>
        (await tests).find((one) => one.test_id === testId && one.notification_id === notificationId);
      const last = known.get(siteId);
      const age = last ? performance.now() - last.at : Number.POSITIVE_INFINITY;
      let test = last && age < KEPT_MS ? await find(last.tests) : undefined;
      if (!test && age >= MISSED_MS) test = await find(ask(siteId));
      return test && armOf(testId, anonId, test.split);
    },
    forget(siteId) {
      known.delete(siteId);
    },
  };
}
