// Every job of every feature, and what they work with; `marketing jobs` lists them with their times.
import type { Config } from './config.ts';
import { type AnyFeature, tablesOf } from './features.ts';
import type { Pool } from './ground/db/pool.ts';
import type { Job } from './ground/jobs/runner.ts';
import type { Ending } from './ground/retention/purge.ts';
import type { Tables } from './ground/tables.ts';
import type { BackupSettings } from './operations/backups/dump.ts';
import type { LeadWork } from './product/captures/start.ts';
import type { Forget } from './product/erasure/forget.ts';
import type { Ledger } from './product/events/ledger.ts';
import type { MetricsCache } from './product/metrics/cache.ts';
import type { Sites } from './product/sites/recognise.ts';

/** What jobs have, in any process; features take the part they need. */
export interface Workshop {
  config: Config;
  /** Few connections, long statements. */
  db: Pool;
  sites: Sites;
  backups: BackupSettings;
  metrics: MetricsCache;
  /** Where something is received. */
  ledger?: Ledger;
  leads: LeadWork;
  forget: Forget;
  /** Of all features. */
  tables: Tables;
  endings(): Record<string, Ending>;
  /** Names of the jobs that run every minute. */
  minutely(): string[];
}

const MINUTELY = '* * * * *';

export function schedule(
  features: readonly AnyFeature[],
  parts: Omit<Workshop, 'tables' | 'endings' | 'minutely'>,
): Job[] {
  const workshop: Workshop = {
    ...parts,
    tables: tablesOf(features),
    endings: () => Object.assign({}, ...features.map((feature) => feature.endings?.(workshop))),
    minutely: () => jobs.filter(({ cron }) => cron === MINUTELY).map(({ name }) => name),
  };
  const jobs = features.flatMap((feature) => feature.jobs?.(workshop) ?? []);
  return jobs;
}
