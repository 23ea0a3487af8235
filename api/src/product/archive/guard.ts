// What stands before the drop of raw days where a bucket is set: without a good copy there, a day stays.
import type { Config } from '../../config.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import type { Site } from '../../ground/site.ts';
import { type ArchiveWork, type Kept, keepDays, provenBefore } from './keep.ts';
import { archiveSettings } from './settings.ts';

export interface ArchiveParts {
  db: Pool;
  config: Config;
  sites: { ids(): string[]; find(name: string): Pick<Site, 'dataRegion'> | undefined | null };
}
export type Run = Pick<ArchiveWork, 'siteIds' | 'signal' | 'progress'>;

/** returns null: there is no archive. throws  when it is set up by halves */
export function archiveWork({ db, config, sites }: ArchiveParts): ((run: Run) => ArchiveWork) | null {
  const settings = archiveSettings(config);
  return (
    settings &&
    ((run) => ({
      db,
      settings,
      ...run,
      elsewhere: (siteId) => {
        const { dataRegion = null } = sites.find(siteId) ?? {};
        return dataRegion !== null && dataRegion !== settings.region;
      },
    }))
  );
}

export interface ArchiveGuard {
  /** Brings what is missing of the days before that one to the bucket. */
  keep(run: Run, before: string): Promise<Kept>;
  /** In the transaction that drops: the first day that has to stay, at most that one. */
  provenBefore(db: Db, before: string): Promise<string>;
}

export function archiveGuard(parts: ArchiveParts): ArchiveGuard | null {
  const work = archiveWork(parts);
  return work && { keep: (run, before) => keepDays(work(run), before), provenBefore };
}
