// Days of events in a bucket of the operator's, before they go from the database.
import { inSites } from '../../ground/db/transaction.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Job, JobRun } from '../../ground/jobs/runner.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import { eraseInFiles } from './erase-in.ts';
import { type ArchiveParts, archiveWork } from './guard.ts';
import { ArchiveBusy } from './in-child.ts';
import { type ArchiveWork, aloneAtArchive } from './keep.ts';
import { endArchives } from './queries.ts';
import { archiveReading } from './readings.ts';
import { anyWaits, refuseWaiting, restoreWaiting } from './restore.ts';
import { type ArchiveNeeds, archiveRoutes } from './routes.ts';
import { archiveTables } from './tables.ts';

function archiveJobs(parts: ArchiveParts): Job[] {
  const { db, sites } = parts;
  const workOf = archiveWork(parts);
  const alone = async <T extends { warnings: string[] }>(
    { signal, progress }: JobRun,
    run: (work: ArchiveWork) => Promise<T>,
  ): Promise<Record<string, unknown> & { warnings?: string[] }> => {
    if (!workOf) return { archive: 'off' };
    try {
      const { warnings, ...done } = await aloneAtArchive(db, () =>
        run(workOf({ siteIds: sites.ids(), signal, progress })),
      );
      return { ...done, ...(warnings.length > 0 ? { warnings } : {}) };
    } catch (error) {
      // its turn comes again: a restore's in a minute, an erasure's tomorrow
      if (error instanceof ArchiveBusy) return { busy: true };
      throw error;
    }
  };
  return [
    {
      name: 'archive_erasures',
      cron: workOf ? '20 4 * * *' : null,
      minutesMax: 120,
      why: 'who was erased is taken out of the files of the archive too; old files are removed',
      run: (run) => alone(run, eraseInFiles),
    },
    {
      name: 'archive_restores',
      cron: '* * * * *',
      minutesMax: 60,
      why: 'days that were asked back from the archive come within a minute or two',
      async run(run) {
        if (!(await anyWaits(db, sites.ids()))) return { restored: 0 };
        return workOf ? alone(run, restoreWaiting) : { refused: await refuseWaiting(db, sites.ids()) };
      },
    },
  ];
}

/** Their names wait to be removed from the bucket; without one they wait until it is named again. */
const endFiles =
  ({ db, config }: ArchiveParts): Ending =>
  async ({ siteIds, bound, dryRun }) => {
    const files = await inSites(db, siteIds, (tx) => endArchives(tx, bound, dryRun));
    return {
      rows: { archives: files },
      says:
        files > 0 && !config.ARCHIVE_S3_URL
          ? {
              warnings: [
                `Archive: ${files} files are over their time and lie in a bucket that ARCHIVE_S3_URL does not name any more. Name it again, or remove them there.`,
              ],
            }
          : {},
    };
  };

export const archive: Feature<ArchiveNeeds, ArchiveParts> = {
  name: 'archive',
  functions: [new URL('archive_sums.sql', import.meta.url)],
  tables: archiveTables,
  routes: archiveRoutes,
  readings: [archiveReading],
  jobs: archiveJobs,
  endings: (work) => ({ 'archive files': endFiles(work) }),
};
