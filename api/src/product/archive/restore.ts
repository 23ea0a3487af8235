// Brings days back that were asked for: whoever is yet to be taken out of their files is taken out first.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { eraseInFiles } from './erase-in.ts';
import { ArchiveFault, inChild } from './in-child.ts';
import type { ArchiveWork } from './keep.ts';
import { finishRestore, listedDays, waitingRestores } from './queries.ts';

export const anyWaits = async (db: Pool, siteIds: string[]): Promise<boolean> =>
  (await inSites(db, siteIds, waitingRestores)).length > 0;

/** Where no bucket is named any more. returns how many */
export async function refuseWaiting(db: Pool, siteIds: string[]): Promise<number> {
  const waiting = await inSites(db, siteIds, waitingRestores);
  const why = 'ARCHIVE_S3_URL names no bucket any more';
  for (const { siteId, restoreId } of waiting)
    await inSites(db, siteId, (tx) => finishRestore(tx, siteId, restoreId, { days: 0, rows: 0, why }));
  return waiting.length;
}

/** The caller is alone at the archive. returns how many were done */
export async function restoreWaiting(work: ArchiveWork): Promise<{ restored: number; warnings: string[] }> {
  const { db, siteIds, signal } = work;
  let restored = 0;
  const warnings: string[] = [];
  for (const asked of await inSites(db, siteIds, waitingRestores)) {
    if (signal?.aborted) break;
    const came = await restore(work, asked);
    if (signal?.aborted) break; // the next start begins it anew
    await inSites(db, asked.siteId, (tx) => finishRestore(tx, asked.siteId, asked.restoreId, came));
    if (came.why)
      warnings.push(`Archive: days of site ${asked.siteId} could not be brought back: ${came.why}`);
    else restored += 1;
  }
  return { restored, warnings };
}

async function restore(
  work: ArchiveWork,
  { siteId, from, to }: { siteId: string; from: string; to: string },
): Promise<{ days: number; rows: number; why: string | null }> {
  const came = { days: 0, rows: 0 };
  const { warnings } = await eraseInFiles({ ...work, siteIds: [siteId] });
  for (const listed of await inSites(work.db, siteId, (tx) => listedDays(tx, siteId, from, to))) {
    try {
      const { done } = await inChild(work.db, work.settings, { do: 'restore', listed }, work.signal);
      came.days += 1;
      came.rows += done.rows;
    } catch (error) {
      if (!(error instanceof ArchiveFault)) throw error;
      return { ...came, why: `${listed.day}: ${error.message}` };
    }
  }
  // that an old file could not be removed is no reason; what is there is without whoever was erased
  return { ...came, why: came.days === 0 ? (warnings[0] ?? 'no day of these is in the archive') : null };
}
