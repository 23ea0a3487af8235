// Every job: when it runs (UTC), what it is for, on one page.

import { type BackupSettings, runBackup } from './backups/dump.ts';
import { verifyBackup } from './backups/verify.ts';
import type { Pool } from './db/pool.ts';
import { makePartitions, purgeRecentBodies } from './events/queries.ts';
import { markMinute, purgeRuns } from './jobs/queries.ts';
import type { Job } from './jobs/runner.ts';
import type { Sites } from './sites/recognise.ts';

export type { Job } from './jobs/runner.ts';

export interface Workshop {
  /** Few connections, long statements: what jobs work with. */
  db: Pool;
  sites: Sites;
  backups: BackupSettings;
}

export function schedule({ db, sites, backups }: Workshop): Job[] {
  const siteIds = () => sites.list().map((site) => site.siteId);
  const jobs: Job[] = [
    {
      name: 'heartbeat',
      cron: '* * * * *',
      why: 'minutes without service are those without it',
      run: async () => {
        await markMinute(db);
        return {};
      },
    },
    {
      name: 'partitions',
      cron: '10 */6 * * *',
      why: 'events need a partition for their day; a week ahead survives a week without this job',
      run: async () => ({ made: await makePartitions(db, -2, 7) }),
    },
    {
      name: 'recent_bodies',
      cron: '* * * * *',
      why: 'digests of bodies only matter for 30 s',
      run: async () => ({ forgotten: await purgeRecentBodies(db, siteIds()) }),
    },
    {
      name: 'old_runs',
      cron: '50 3 * * *',
      why: 'the table of runs stays small',
      run: async () => ({
        forgotten: await purgeRuns(
          db,
          jobs.filter((job) => job.cron === '* * * * *').map((job) => job.name),
        ),
      }),
    },
    {
      name: 'backup',
      cron: '15 2 * * *',
      minutesMax: 120,
      why: 'a disk can die any night; dumped, read back, encrypted if wanted, copied off the machine',
      run: async () => ({ ...(await runBackup(backups)) }),
    },
    {
      name: 'verify_backup',
      cron: '0 3 * * *',
      minutesMax: 120,
      why: 'a backup nobody has restored is a hope: into a scratch database, compared table by table',
      run: async () => {
        const check = await verifyBackup(backups);
        if (!check.ok)
          throw new Error(`The newest backup does not restore to what it was: ${check.problems.join('; ')}`);
        return { ...check };
      },
    },
  ];
  return jobs;
}
