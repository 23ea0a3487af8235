// The jobs themselves: seen and run by hand; the heartbeat, and the table of runs.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { markMinute, purgeRuns } from '../../ground/jobs/runs.ts';
import { type JobNeeds, jobRoutes } from './routes.ts';
import { jobTables } from './tables.ts';

interface JobWork {
  db: Pool;
  /** Names of the jobs that run every minute. */
  minutely(): string[];
}

export const jobs: Feature<JobNeeds, JobWork> = {
  name: 'jobs',
  tables: jobTables,
  routes: jobRoutes,
  jobs: ({ db, minutely }) => [
    {
      name: 'heartbeat',
      cron: '* * * * *',
      why: 'minutes without service are those without it',
      async run() {
        await markMinute(db);
        return {};
      },
    },
    {
      name: 'old_runs',
      cron: '50 3 * * *',
      why: 'the table of runs stays small',
      run: async () => ({ forgotten: await purgeRuns(db, minutely()) }),
    },
  ],
};
