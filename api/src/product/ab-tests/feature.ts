// A/B tests of notifications: arms, evidence, verdicts.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { JUDGES, judgeTests } from './judge-tests.ts';
import { pace } from './pace.ts';
import { type AbTestNeeds, abTestRoutes } from './routes.ts';
import { abTestTables } from './tables.ts';

export const abTests: Feature<AbTestNeeds, { db: Pool; sites: { ids(): string[] } }> = {
  name: 'ab-tests',
  functions: [new URL('count_goals.sql', import.meta.url)],
  tables: abTestTables,
  routes: abTestRoutes,
  jobs(workshop) {
    const looks = pace();
    return [
      {
        name: JUDGES,
        cron: '* * * * *',
        why: 'a test that does harm ends at once, one that is decided does not wait, and its history is kept',
        run: async () => ({ ...(await judgeTests(workshop, looks)) }),
      },
    ];
  },
};
