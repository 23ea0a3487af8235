// Every job: when it runs (UTC), what it is for, on one page.

import { z } from 'zod';
import type { Pool } from './ground/db/pool.ts';
import { MACHINE } from './ground/http/caller.ts';
import { siteNamed } from './ground/http/frame.ts';
import { markMinute, purgeRuns } from './ground/jobs/queries.ts';
import type { Job } from './ground/jobs/runner.ts';
import { addDays, dayOf } from './ground/lib/days.ts';
import type { Policy } from './ground/retention/policy.ts';
import { purge } from './ground/retention/purge.ts';
import { type BackupSettings, runBackup } from './operations/backups/dump.ts';
import { verifyBackup } from './operations/backups/verify.ts';
import { judgePatterns } from './product/bots/verdicts.ts';
import type { LeadWork } from './product/captures/start.ts';
import { expireConsents } from './product/consent/queries.ts';
import { makePartitions, purgeRecentBodies } from './product/events/queries.ts';
import { purgeLeads } from './product/leads/purge.ts';
import type { MetricsCache } from './product/metrics/cache.ts';
import { rangeOptions } from './product/metrics/range.ts';
import { checkLedger, findDiscrepancies, rollUp } from './product/metrics/rollup.ts';
import type { Sites } from './product/sites/recognise.ts';

export type { Job } from './ground/jobs/runner.ts';

export interface Workshop {
  /** Few connections, long statements: what jobs work with. */
  db: Pool;
  sites: Sites;
  backups: BackupSettings;
  /** Cleared when a rollup has finished. */
  metrics: MetricsCache;
  policy: Policy;
  leads: LeadWork;
}

export function schedule({ db, sites, backups, metrics, policy, leads }: Workshop): Job[] {
  const chosen = async (propertyId?: string) =>
    propertyId ? [(await siteNamed(sites, MACHINE, propertyId)).siteId] : sites.ids();
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
      run: async () => ({ forgotten: await purgeRecentBodies(db, sites.ids()) }),
    },
    {
      name: 'rollup',
      cron: '* * * * *',
      minutesMax: 60,
      why: 'reports read only rollups: today is redone all the time, an older day when it was marked',
      options: rangeOptions,
      run: async ({ options: { from, to, propertyId }, signal, progress }) => {
        const done = await rollUp(db, { from, to, siteIds: await chosen(propertyId), signal, progress });
        if (done.days > 0) metrics.clear();
        return done;
      },
    },
    {
      name: 'discrepancy',
      cron: '20 4 * * *',
      minutesMax: 60,
      why: 'a wrong number is worse than none: raw rows counted plainly against every rollup that still has them',
      options: rangeOptions,
      run: async ({ options: { from, to, propertyId }, signal, log }) => {
        const yesterday = addDays(dayOf(Date.now()), -1);
        const found = await findDiscrepancies(db, {
          from: from ?? addDays(yesterday, -366),
          to: to ?? yesterday,
          siteIds: await chosen(propertyId),
          signal,
        });
        if (found.differences.length > 0) log.error(found, 'rollups differ from raw rows');
        return {
          ...found,
          discrepancies: found.differences.length,
          differences: found.differences.slice(0, 20),
        };
      },
    },
    {
      name: 'ledger',
      cron: '35 4 * * *',
      why: 'nothing is silent: received = accepted + duplicate + rejected for every site and day, or someone is told',
      options: rangeOptions,
      run: async ({ options: { from, to, propertyId }, log }) => {
        const today = dayOf(Date.now());
        const { days, unbalanced } = await checkLedger(db, {
          from: from ?? '-infinity', // all that is kept
          to: to ?? today,
          siteIds: await chosen(propertyId),
        });
        if (unbalanced.length > 0) log.error({ unbalanced }, 'the ledger does not balance');
        return { days, imbalances: unbalanced.length, unbalanced: unbalanced.slice(0, 20) };
      },
    },
    {
      name: 'bots',
      cron: '7 * * * *',
      why: 'some bots show only in a crowd: one address, hundreds of one-event visitors; an admin may say otherwise',
      run: async () => ({ ...(await judgePatterns(db, sites.ids())) }),
    },
    {
      name: 'purge',
      cron: '40 3 * * *',
      minutesMax: 120,
      why: 'nothing is kept longer than promised; days are sealed before their raw events go',
      options: z.object({ dryRun: z.boolean().default(false) }),
      run: async ({ options, signal, progress }) => {
        const done = await purge(db, {
          siteIds: sites.ids(),
          policy,
          dryRun: options.dryRun ?? false,
          signal,
          progress,
        });
        const people = await purgeLeads(db, sites.ids(), leads.hashAddress, {
          dryRun: options.dryRun ?? false,
          forgetJournal: leads.forgetJournal,
        });
        metrics.clear();
        return { ...done, leads: people };
      },
    },
    {
      name: 'outgoing_mails',
      cron: '* * * * *',
      why: 'mails wait in the database until a mail server has taken them',
      run: async () => ({ ...(await leads.sendMails(sites.list())) }),
    },
    {
      name: 'consent_expiry',
      cron: '5 0 * * *',
      why: 'implied consent ends by law: 6 months after an inquiry, 2 years after a purchase',
      run: async () => ({ expired: await expireConsents(db, sites.ids()) }),
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
