// The bucket as the list says: what was replaced or cut off goes, and what a restored older database does not know is found again.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { type Shelf, wordsOf } from '../../ground/shelf/target.ts';
import { readForgotten } from '../consent/forget-journal.ts';
import { SCHEMA_VERSION } from './columns.ts';
import { inChild } from './in-child.ts';
import { type ArchiveWork, FILE_NAME } from './keep.ts';
import { markFiles } from './marks.ts';
import { filesToRemove, findArchive, forgetFile, knownFiles, listArchive, noteFile } from './queries.ts';

/** returns  what could not be done, in words */
export async function tidyBucket(work: ArchiveWork): Promise<string[]> {
  const { db, settings, siteIds, signal } = work;
  const shelf = patientShelf(settings.target, signal);
  try {
    await findAgain(work, shelf);
    await removeAll(db, siteIds, shelf);
    return [];
  } catch (error) {
    return [`Archive: the bucket could not be put in order: ${wordsOf(error)}`];
  } finally {
    shelf.close();
  }
}

/** One that is gone already is fine; what cannot be removed now is tried again by the next run. */
export async function removeAll(db: Pool, siteIds: string[], shelf: Shelf): Promise<void> {
  for (const { siteId, file } of await inSites(db, siteIds, filesToRemove)) {
    await shelf.remove(file);
    await inSites(db, siteId, (tx) => forgetFile(tx, siteId, file));
  }
}

/**
 * After a restore of an older database. A day whose file is not there any more was written anew since: the newest that can be
 * read is the archive then. What lies beside a file that is there is superfluous. Of other sites nothing is touched.
 */
async function findAgain(work: ArchiveWork, shelf: Shelf): Promise<void> {
  const { db, siteIds } = work;
  const there = (await shelf.list()).flatMap(({ name }) => {
    const [, siteId = '', day = ''] = FILE_NAME.exec(name) ?? [];
    return siteIds.includes(siteId) ? [{ name, siteId, day }] : [];
  });
  const known = await inSites(db, siteIds, knownFiles);
  const names = new Set(known.map(({ file }) => file));
  const lying = new Set(there.map(({ name }) => name));
  const strangers = there.filter(({ name }) => !names.has(name));
  for (const [siteId, ofSite] of Map.groupBy(strangers, (one) => one.siteId))
    for (const [day, files] of Map.groupBy(ofSite, (one) => one.day)) {
      const listed = known.find((one) => one.siteId === siteId && one.day === day);
      // the newest first: its name ends with its moment
      const names = files.map(({ name }) => name).sort((a, b) => (a < b ? 1 : -1));
      const adopted = listed && lying.has(listed.file) ? null : await adoptFirst(work, siteId, day, names);
      for (const name of names)
        if (name !== adopted) await inSites(db, siteId, (tx) => noteFile(tx, siteId, name));
    }
}

/** Raw rows that are still here are the better source: then the list has a file again with the next night. */
async function adoptFirst(
  { db, settings, signal }: ArchiveWork,
  siteId: string,
  day: string,
  names: string[],
): Promise<string | null> {
  for (const file of names) {
    const found = await inChild(db, settings, { do: 'look', file }, signal).catch(() => null);
    if (!found) continue;
    await inSites(db, siteId, async (tx) => {
      const before = await findArchive(tx, siteId, day);
      const raw = before ? null : { rows: 0, sum: '0' };
      await listArchive(tx, { siteId, day, file, schemaVersion: SCHEMA_VERSION, ...found.done, raw });
    });
    for await (const entry of readForgotten(settings.journal))
      if (entry.kind === 'archive' && entry.siteId === siteId)
        await inSites(db, siteId, (tx) => markFiles(tx, entry, day));
    return file;
  }
  return null;
}
