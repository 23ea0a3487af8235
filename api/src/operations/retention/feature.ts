// The nightly purge: every table of every feature by its own rule.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Job } from '../../ground/jobs/runner.ts';
import { type Ending, purge } from '../../ground/retention/purge.ts';
import type { Tables } from '../../ground/tables.ts';

interface PurgeWork {
  db: Pool;
  config: Config;
  sites: { ids(): string[] };
  metrics: { clear(): void };
  /** Of all features. */
  tables: Tables;
  endings(): Record<string, Ending>;
}

const options = z.object({ dryRun: z.boolean().default(false) });

function purgeJob({ db, config, sites, metrics, tables, endings }: PurgeWork): Job {
  return {
    name: 'purge',
    cron: '40 3 * * *',
    minutesMax: 120,
    why: 'nothing is kept longer than promised; days are sealed before their raw events go',
    options,
    async run({ options: { dryRun = false }, signal, progress }) {
      const done = await purge(db, {
        siteIds: sites.ids(),
        tables,
        endings: endings(),
        settings: config,
        dryRun,
        signal,
        progress,
      });
      metrics.clear();
      return done;
    },
  };
}

export const retention: Feature<never, PurgeWork> = {
  name: 'retention',
  jobs: (workshop) => [purgeJob(workshop)],
};
