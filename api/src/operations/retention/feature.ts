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

const LEAP_DAYS = 30;

/**
 * A clock that is a year ahead for one start would have everything purged. So after a month without a sign of life the first
 * half day purges nothing: either the machine was away, and tomorrow is early enough, or somebody sees the clock.
 */
async function leapOfTheClock(db: Pool): Promise<string | null> {
  const { rows } = await db.query<{ leapt: boolean; last: string }>(
    `select last < now() - make_interval(days => $1) as leapt, last::text from (
       select max(started_at) as last from job_runs where started_at < now() - interval '12 hours') signs`,
    [LEAP_DAYS],
  );
  const { leapt, last } = rows[0]!;
  return leapt
    ? `By this machine's clock nothing has run here between ${last} and today, more than ${LEAP_DAYS} days: nothing is purged before half a day has passed. Look at the clock (timedatectl); if it is right, there is nothing to do.`
    : null;
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
      const leap = dryRun ? null : await leapOfTheClock(db);
      if (leap) return { dryRun, rows: {}, warnings: [leap] };
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
