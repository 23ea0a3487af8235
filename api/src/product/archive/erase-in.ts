// Takes erased people out of the archive: the file is written anew without them, read back and listed, and the old one is removed.
import { inSites } from '../../ground/db/transaction.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { wordsOf } from '../../ground/shelf/target.ts';
import { SCHEMA_VERSION, withoutMarks } from './columns.ts';
import { ArchiveFault, inChild } from './in-child.ts';
import { type ArchiveWork, newName } from './keep.ts';
import { daysToErase, endErasures, findArchive, listArchive, noteFile, takenOf } from './queries.ts';
import { removeAll } from './tidy.ts';

export interface ErasedIn {
  /** Files that were written anew. */
  rewritten: number;
  warnings: string[];
}

/** The caller is alone at the archive. only: of these sites */
export async function eraseInFiles(work: ArchiveWork): Promise<ErasedIn> {
  const { db, settings, siteIds, signal } = work;
  const done: ErasedIn = { rewritten: 0, warnings: [] };
  for (const { siteId, day } of await inSites(db, siteIds, daysToErase)) {
    if (signal?.aborted) return done;
    try {
      if (await eraseIn(work, siteId, day)) done.rewritten += 1;
    } catch (error) {
      if (!(error instanceof ArchiveFault)) throw error;
      done.warnings.push(
        `Archive: who was erased is still in the file of ${day} (site ${siteId}): ${error.message}. Tried again by the next night`,
      );
    }
  }
  const shelf = patientShelf(settings.target, signal);
  try {
    await removeAll(db, siteIds, shelf);
  } catch (error) {
    done.warnings.push(`Archive: old files could not be removed: ${wordsOf(error)}`);
  } finally {
    shelf.close();
  }
  return done;
}

async function eraseIn({ db, settings, signal }: ArchiveWork, siteId: string, day: string): Promise<boolean> {
  const file = newName(siteId, day);
  const found = await inSites(db, siteId, async (tx) => {
    const listed = await findArchive(tx, siteId, day);
    const taken = await takenOf(tx, siteId, day);
    if (taken && listed) await noteFile(tx, siteId, file);
    return taken && { taken, listed };
  });
  if (!found) return false;
  const { taken, listed } = found;
  // its time is over: the file goes with all that is in it
  if (!listed) {
    await inSites(db, siteId, (tx) => endErasures(tx, siteId, day, taken.upTo));
    return false;
  }
  const { visitors: marks, ...old } = listed;
  const task = { do: 'rewrite', listed: old, file, taken } as const;
  const { done } = await inChild(db, settings, task, signal);
  const visitors = withoutMarks(marks, [...taken.visitors.keys()]);
  await inSites(db, siteId, async (tx) => {
    if (done)
      await listArchive(tx, {
        ...{ siteId, day, file, schemaVersion: SCHEMA_VERSION, visitors, raw: null },
        ...done,
      });
    await endErasures(tx, siteId, day, taken.upTo);
  });
  return done !== null;
}
