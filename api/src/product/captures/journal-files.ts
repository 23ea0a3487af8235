// The files of the journal: played entry by entry, and what can never be stored set aside.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDatabaseAway, isDataFault } from '../../ground/db/faults.ts';
import { appendDurably, renameDurably, replaceDurably } from '../../ground/lib/durable.ts';
import { linesOf } from '../../ground/lib/lines.ts';
import { type Lock, takeLock } from '../../ground/lib/lock.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Entry } from './journal.ts';

const SET_ASIDE = 'failed.ndjson';

/** A file's name begins with the moment its first entry came. returns milliseconds */
export const bornAt = (name: string) => Number.parseInt(name, 10);

/** Files with entries that wait, the oldest first. */
export async function filesIn(folder: string): Promise<string[]> {
  // .open: what a process writes, or wrote until it ended, or until its disk failed
  return (await readdir(folder)).filter((name) => /^\d+-.*\.(ndjson|open)$/.test(name)).sort();
}

/** Since when the oldest entry waits; null: none does. */
export async function oldestIn(folder: string): Promise<Date | null> {
  const [first] = await filesIn(folder);
  return first === undefined ? null : new Date(bornAt(first));
}

// play and an erasure both write it, and the erasure may be another process's
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const alone = async () => {
    const lock = await lockOf(folder);
    try {
      return await work();
    } finally {
      lock.release();
    }
  };
  const mine = turn.then(alone, alone);
  turn = mine.catch(() => {});
  return mine;
}

/** throws  when another process keeps it for longer than rewriting a file takes */
async function lockOf(folder: string): Promise<Lock> {
  for (let tries = 0; tries < 600; tries += 1) {
    const lock = await takeLock(`${folder}.set-aside.lock`);
    if (lock) return lock;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Another process has been writing to ${join(folder, SET_ASIDE)} for half a minute.`);
}

export interface Played {
  played: number;
  /** How many entries stay in the file, to be tried again. */
  left: number;
  /** The database is away: nothing more can be played now, and the file is as it was. */
  isAway: boolean;
}

/** Plays one file, and removes it or leaves in it what failed for a reason we don't know. */
export async function playFile(
  folder: string,
  name: string,
  play: (entry: Entry) => Promise<void>,
  log: Log,
): Promise<Played> {
  const path = join(folder, name);
  const rest = beginRest(path);
  let played = 0;
  let at = 0;
  let why: unknown;
  try {
    for await (const text of linesOf(path)) {
      at += 1;
      const entry = parsed(text);
      if (!entry) {
        // torn by a crash: it was never answered, since the answer waits for the disk
        log.warn({ journal: name, entry: at }, 'a journal entry is incomplete and was left out');
        continue;
      }
      try {
        await play(entry);
        played += 1;
      } catch (err) {
        if (isDatabaseAway(err)) return { played, left: 0, isAway: true };
        if (isDataFault(err)) {
          log.error(
            { err, journal: name, entry: at },
            'a journal entry could not be stored; kept beside the journal',
          );
          await inTurn(folder, () => appendDurably(join(folder, SET_ASIDE), `${text}\n`));
        } else {
          await rest.leave(text);
          why ??= err;
        }
      }
    }
    if (rest.left === 0) await rm(path);
    else {
      log.error(
        { err: why, journal: name, left: rest.left },
        'journal entries could not be stored; they stay in the journal and are tried again',
      );
      await rest.takePlace();
    }
    return { played, left: rest.left, isAway: false };
  } finally {
    await rest.drop();
  }
}

/** What stays of a file, written beside it: nobody knows how much it will be. */
function beginRest(path: string) {
  const beside = `${path}.partial`;
  let file: FileHandle | null = null;
  let left = 0;
  return {
    get left() {
      return left;
    },
    async leave(text: string) {
      file ??= await open(beside, 'w', 0o600);
      await file.appendFile(`${text}\n`);
      left += 1;
    },
    async takePlace() {
      await file!.sync();
      await file!.close();
      file = null;
      await renameDurably(beside, path);
    },
    async drop() {
      if (!file) return;
      await file.close();
      await rm(beside, { force: true });
    },
  };
}

function parsed(text: string): Entry | null {
  try {
    return JSON.parse(text) as Entry;
  } catch {
    return null;
  }
}

/** Takes out of what was set aside whatever is theirs. returns how many entries */
export function forgetSetAside(folder: string, isTheirs: (entry: Entry) => boolean): Promise<number> {
  const path = join(folder, SET_ASIDE);
  if (!existsSync(path)) return Promise.resolve(0);
  return inTurn(folder, async () => {
    const kept = beginRest(path);
    let gone = 0;
    try {
      for await (const line of linesOf(path)) {
        const entry = parsed(line);
        // torn: nobody could store it any more
        if (entry === null || isTheirs(entry)) gone += 1;
        else await kept.leave(line);
      }
      if (gone > 0) await (kept.left > 0 ? kept.takePlace() : replaceDurably(path, ''));
      return gone;
    } finally {
      await kept.drop();
    }
  });
}

/** How many entries were set aside, and when the last one was. */
export async function countSetAside(folder: string): Promise<{ count: number; at: Date | null }> {
  const path = join(folder, SET_ASIDE);
  let count = 0;
  for await (const line of linesOf(path)) count += line === '' ? 0 : 1;
  return { count, at: count > 0 ? (await stat(path)).mtime : null };
}

/**
 * Puts what was set aside back into the journal; whoever plays it (this process or another) stores it, or sets it aside again.
 * returns  how many entries
 */
export async function retrySetAside(folder: string, now = Date.now()): Promise<number> {
  if ((await countSetAside(folder)).count === 0) return 0;
  return inTurn(folder, async () => {
    const { count } = await countSetAside(folder);
    if (count > 0)
      await renameDurably(join(folder, SET_ASIDE), join(folder, `${now}-${randomUUID()}.ndjson`));
    return count;
  });
}
