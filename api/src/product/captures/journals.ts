// The journals of all processes on one DATA_DIR: each has a folder of its own, held by its lock; whoever finds one that
// nobody holds plays what is in it.
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Log } from '../../ground/lib/log.ts';
import { type Entry, type Journal, JournalInUse, openJournal } from './journal.ts';
import { countSetAside, filesIn, forgetSetAside, oldestIn, retrySetAside } from './journal-files.ts';

/** Far more than one machine runs. */
const FOLDERS_MAX = 64;

export interface Journals extends Journal {
  /** Where this process's own lies. */
  folder: string;
  /** Plays what processes left that have ended, and lets their folders go. returns how many entries */
  adopt(play: (entry: Entry) => Promise<void>): Promise<number>;
}

const nth = (base: string, n: number) => (n === 1 ? base : `${base}-${n}`);

/** Those that are there, the first one first. */
export async function journalFolders(base: string): Promise<string[]> {
  const names = new Set(await readdir(dirname(base)).catch(() => [] as string[]));
  return Array.from({ length: FOLDERS_MAX }, (_, i) => nth(base, i + 1)).filter((folder) =>
    names.has(basename(folder)),
  );
}

/**
 * base     the first one's folder; a second process beside it gets `<base>-2`, and so on
 * throws   when so many are in use
 */
export async function openJournals(
  base: string,
  log: Log,
  clock: () => number = Date.now,
): Promise<Journals> {
  const { folder, journal: own } = await firstFree(base, log, clock);
  if (folder !== base)
    log.info({ folder }, 'another process is on this DATA_DIR; this one has a journal of its own');
  const others = async () => (await journalFolders(base)).filter((other) => other !== folder);
  return {
    ...own,
    folder,
    // not copied: they are read anew each time
    get isEmpty() {
      return own.isEmpty;
    },
    get waitingSince() {
      return own.waitingSince;
    },
    async oldest() {
      const times = [];
      for (const each of await journalFolders(base)) times.push((await oldestIn(each))?.getTime() ?? null);
      const known = times.filter((time) => time !== null);
      return known.length > 0 ? new Date(Math.min(...known)) : null;
    },
    async setAside() {
      const all = [await own.setAside()];
      for (const other of await others()) all.push(await countSetAside(other));
      const times = all.flatMap(({ at }) => (at ? [at.getTime()] : []));
      return {
        count: all.reduce((sum, { count }) => sum + count, 0),
        at: times.length > 0 ? new Date(Math.max(...times)) : null,
      };
    },
    async forgetFailed(isTheirs) {
      let gone = await own.forgetFailed(isTheirs);
      for (const other of await others()) gone += await forgetSetAside(other, isTheirs);
      return gone;
    },
    async adopt(play) {
      let played = 0;
      for (const other of await others()) {
        if ((await filesIn(other)).length === 0) continue;
        const left = await openJournal(other, log, clock).catch(unlessInUse);
        if (!left) continue;
        try {
          played += await left.replay(play);
        } finally {
          await left.close();
        }
      }
      return played;
    },
  };
}

async function firstFree(base: string, log: Log, clock: () => number) {
  for (let n = 1; n <= FOLDERS_MAX; n += 1) {
    const folder = nth(base, n);
    const journal = await openJournal(folder, log, clock).catch(unlessInUse);
    if (journal) return { folder, journal };
  }
  throw new Error(
    `${FOLDERS_MAX} processes of this product are using ${dirname(base)}. Stop one of them first, or give this one another DATA_DIR.`,
  );
}

function unlessInUse(error: unknown): null {
  if (error instanceof JournalInUse) return null;
  throw error;
}

/** Puts back what was set aside, in every folder. returns how many entries */
export async function retryAll(base: string): Promise<number> {
  let count = 0;
  for (const folder of await journalFolders(base)) count += await retrySetAside(folder);
  return count;
}
