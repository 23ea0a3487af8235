// The files of the journal: played entry by entry, and what can never be stored set aside.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDatabaseAway, isDataFault } from '../../ground/db/faults.ts';
import { appendDurably, replaceDurably } from '../../ground/lib/durable.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Entry } from './journal.ts';

const SET_ASIDE = 'failed.ndjson';

// play and an erasure both write it
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work);
  turn = mine.catch(() => {});
  return mine;
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
  const left: string[] = [];
  let played = 0;
  let why: unknown;
  for (const [at, text] of (await readFile(path, 'utf8')).split('\n').entries()) {
    if (!text) continue;
    const entry = parsed(text);
    if (!entry) {
      // torn by a crash: it was never answered, since the answer waits for the disk
      log.warn({ journal: name, line: at + 1 }, 'a journal entry is incomplete and was left out');
      continue;
    }
    try {
      await play(entry);
      played += 1;
    } catch (err) {
      if (isDatabaseAway(err)) return { played, left: 0, isAway: true };
      if (isDataFault(err)) {
        log.error(
          { err, journal: name, line: at + 1 },
          'a journal entry could not be stored; kept beside the journal',
        );
        await inTurn(() => appendDurably(join(folder, SET_ASIDE), `${text}\n`));
      } else {
        left.push(text);
        why ??= err;
      }
    }
  }
  if (left.length === 0) await rm(path);
  else {
    log.error(
      { err: why, journal: name, left: left.length },
      'journal entries could not be stored; they stay in the journal and are tried again',
    );
    await replaceDurably(path, left.map((text) => `${text}\n`).join(''));
  }
  return { played, left: left.length, isAway: false };
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
  return inTurn(async () => {
    const path = join(folder, SET_ASIDE);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.split('\n').filter(Boolean);
    // torn: nobody could store it any more
    const kept = lines.filter((line) => {
      const entry = parsed(line);
      return entry !== null && !isTheirs(entry);
    });
    if (kept.length === lines.length) return 0;
    await replaceDurably(path, kept.map((line) => `${line}\n`).join(''));
    return lines.length - kept.length;
  });
}
