// Before a day's partition goes: each site's rows of it lie in the bucket, were read back from there and are listed, or the
// partition stays. Nothing here drops anything.
import { rm } from 'node:fs/promises';
import { holdLease } from '../../ground/db/lease.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { SCHEMA_VERSION } from './columns.ts';
import { fieldsOfProps } from './fields.ts';
import { ArchiveBusy, ArchiveFault, inChild } from './in-child.ts';
import { ERASED_LOCK } from './marks.ts';
import { daysBefore, listArchive, notArchived, noteFile, noteRun, type Sum, sumsOf } from './queries.ts';
import type { ArchiveSettings } from './settings.ts';
import { tidyBucket } from './tidy.ts';

export interface ArchiveWork {
  db: Pool;
  settings: ArchiveSettings;
  siteIds: string[];
  /** Sites whose data may not lie where the bucket is. */
  elsewhere: (siteId: string) => boolean;
  signal: AbortSignal | undefined;
  progress: (line: string) => void;
}

export interface Kept {
  /** Site days that were brought to the bucket now. */
  archived: number;
  /** Why days have to stay; empty: none has to. */
  warnings: string[];
}

const LEASE = 'archive';
/** What is wrong with the bucket is wrong with the next day too, and a silent one costs minutes each time. */
const FAULTS_MAX = 3;
/** The names of ours; what else lies in the folder is left alone. */
export const FILE_NAME = /^events_([0-9a-f-]{36})_(\d{4}-\d\d-\d\d)_(\d{8}T\d{6}\d{3}Z)\.parquet$/;

/** Never the name of one that is there: as long as the new one is not proven, the one before is the archive. */
export const newName = (siteId: string, day: string): string =>
  `events_${siteId}_${day}_${new Date().toISOString().replace(/[-:.]/g, '')}.parquet`;

/** throws  ArchiveBusy while another process is at it */
export async function aloneAtArchive<T>(db: Pool, work: () => Promise<T>): Promise<T> {
  const lease = await holdLease(db, LEASE);
  if (!lease) throw new ArchiveBusy('another process is at work on the archive');
  try {
    return await work();
  } finally {
    await lease.release();
  }
}

/** Brings what is missing of the days before that one to the bucket. What fails there is a warning, and tried again by the next night. */
export async function keepDays(work: ArchiveWork, before: string): Promise<Kept> {
  const { db, settings, siteIds, signal } = work;
  const kept: Kept = { archived: 0, warnings: [] };
  let waiting = 0;
  try {
    await aloneAtArchive(db, async () => {
      // of a process that was killed in the middle of its work
      await rm(settings.folder, { recursive: true, force: true });
      for (const day of await inSites(db, siteIds, (tx) => daysBefore(tx, before))) {
        if (signal?.aborted) return;
        const faults = await keepDay(work, day, kept);
        if (faults.length > 0) waiting += 1;
        kept.warnings.push(...faults);
        if (kept.warnings.length >= FAULTS_MAX) break;
      }
      kept.warnings.push(...(await tidyBucket(work)));
    });
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    kept.warnings.push(`Archive: ${error.message}`);
  }
  if (!signal?.aborted) await noteRun(db, kept.warnings[0] ?? null, waiting);
  return kept;
}

async function keepDay(work: ArchiveWork, day: string, kept: Kept): Promise<string[]> {
  const { db, siteIds, elsewhere, signal, progress } = work;
  const missing = await inSites(db, siteIds, async (tx) => notArchived(tx, day, await sumsOf(tx, day)));
  const faults: string[] = [];
  for (const siteId of missing) {
    if (signal?.aborted || faults.length >= FAULTS_MAX) return faults;
    try {
      if (elsewhere(siteId))
        throw new ArchiveFault('its data has to be in another region than the archive is in');
      await archiveDay(work, siteId, day);
      kept.archived += 1;
      progress(`archived ${day} of ${siteId}`);
    } catch (error) {
      if (!(error instanceof ArchiveFault)) throw error;
      faults.push(
        `Archive: the events of ${day} stay in the database: ${error.message} (site ${siteId}). Tried again tomorrow, or now: docker compose exec api marketing retention purge`,
      );
    }
  }
  return faults;
}

async function archiveDay({ db, settings, signal }: ArchiveWork, siteId: string, day: string): Promise<void> {
  const file = newName(siteId, day);
  const fields = await inSites(db, siteId, async (tx) => {
    await noteFile(tx, siteId, file);
    return fieldsOfProps(tx, siteId);
  });
  const { done } = await inChild(db, settings, { do: 'write', siteId, day, file, fields }, signal);
  if (!done) return;
  await inSites(db, siteId, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [ERASED_LOCK]);
    await listArchive(tx, { siteId, day, file, schemaVersion: SCHEMA_VERSION, ...done });
  });
}

/**
 * In the transaction that drops: no erasure is under way from here on until it ends.
 * returns  the first day whose partition has to stay, at most `before`
 */
export async function provenBefore(db: Db, before: string): Promise<string> {
  await db.query('select pg_advisory_xact_lock($1)', [ERASED_LOCK]);
  for (const day of await daysBefore(db, before)) {
    const sums: Sum[] = await sumsOf(db, day);
    if ((await notArchived(db, day, sums)).length > 0) return day;
  }
  return before;
}
