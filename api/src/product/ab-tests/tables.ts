// What is kept of A/B tests.
import type { Tables } from '../../ground/tables.ts';

export const abTestTables: Tables = {
  ab_tests: {
    holds: 'a test of a notification: its shares, its goal, what came of it',
    columns: {
      status: 'bounded',
      goal: 'operator',
      winner: 'bounded',
      split: 'bounded',
      verdict: 'bounded',
      chosen: 'operator',
    },
    kept: { ever: "the site's own work, and what it learned" },
  },
  ab_variants: {
    holds: 'what a test compares: words, looks, when they show',
    columns: { key: 'operator', texts: 'operator', trigger: 'operator' },
    kept: { with: 'ab_tests', why: 'a part of it' },
  },
  ab_exposures: {
    holds: 'that a browser took part in a test, in which arm, and when it reached the goal',
    bound: 'one a visitor and test',
    whose: 'visitor',
    moved: true,
    columns: { arm: 'bounded' },
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'first_exposed_at',
      where:
        "exists (select from ab_tests a where a.test_id = target.test_id and (a.status = 'ended' or a.decided_at < $1))",
      why: 'the test is over; its verdicts keep the counts',
    },
  },
  ab_verdicts: {
    holds: "a test's counts and what followed from them, as they stood",
    columns: { verdict: 'bounded', arms: 'counted', comparisons: 'counted', srm: 'counted' },
    kept: { with: 'ab_tests', why: 'what was decided, and on what' },
  },
};
