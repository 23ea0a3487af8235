// Captures, confirmations, unsubscribes and deliveries of shops that came while the database was away: appended to a file with
// fsync, replayed exactly once.
import { randomUUID } from 'node:crypto';
import { type FileHandle, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appendWhole, createDurably, makeFolder } from '../../ground/lib/durable.ts';
import { takeLock } from '../../ground/lib/lock.ts';
import type { Log } from '../../ground/lib/log.ts';
import { bornAt, countSetAside, filesIn, forgetSetAside, oldestIn, playFile } from './journal-files.ts';

export interface Entry {
  kind: string;
  body: unknown;
}

export interface Journal {
  /** Resolves when the entry is on disk. throws when it could not be written; nothing of it is kept then */
  append(entry: Entry): Promise<void>;
  /**
   * Plays what is waiting, in the order it came; a file is removed when every entry of it was played. Entries must be
   * safe to play twice (they carry their ids): a crash in between plays a file again from its beginning.
   * Stops quietly while the database is away. An entry that can never be stored (a fault of the data) is set aside; one
   * that fails for any other reason stays, those behind it are played, and it is tried again after a rest.
   * returns  how many entries were played
   */
  replay(play: (entry: Entry) => Promise<void>): Promise<number>;
  /** Forgets what was put aside because it could not be stored. returns how many entries */
  forgetFailed(isTheirs: (entry: Entry) => boolean): Promise<number>;
  /** Entries that can never be stored as they are, and when the last one was set aside. */
  setAside(): Promise<{ count: number; at: Date | null }>;
  /** Looks whether anything may be waiting; another process may have put something back. */
  look(): Promise<boolean>;
  /** Whether anything was waiting at the last look. */
  readonly isEmpty: boolean;
  /** Since when the oldest entry waits, by the last look; null: none did. */
  readonly waitingSince: Date | null;
  /** The same, read from the disk now. */
  oldest(): Promise<Date | null>;
  close(): Promise<void>;
}

// Between two tries of a file with entries that fail for a reason we don't know; doubled while none of them comes through.
const REST_MS_MIN = 5_000;
const REST_MS_MAX = 300_000;

/** Another process has it: its files would be played, and removed, under the other's hands. */
export class JournalInUse extends Error {
  constructor(folder: string) {
    super(
      `Another process of this product is using ${folder}. Stop that one first, or give this one another DATA_DIR.`,
    );
  }
}

/**
 * folder  made if absent
 * throws  JournalInUse
 */
export async function openJournal(
  folder: string,
  log: Log,
  clock: () => number = Date.now,
): Promise<Journal> {
  await makeFolder(folder);
  const lock = await takeLock(`${folder}.lock`);
  if (!lock) throw new JournalInUse(folder);
  let current: { file: FileHandle; name: string } | null = null;
  let line: Promise<unknown> = Promise.resolve(); // one writer at a time, in the order of arrival
  let gathered: { text: string; done: () => void; failed: (error: unknown) => void }[] = [];
  let replaying: Promise<number> | null = null;
  const rests = new Map<string, { ms: number; until: number }>();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = line.then(work, work);
    line = turn.catch(() => {});
    return turn;
  };
  const waiting = async () => (await filesIn(folder)).filter((name) => name !== current?.name);
  const oldest = async () => (await oldestIn(folder))?.getTime() ?? null;
  for (const name of await readdir(folder))
    if (name.endsWith('.partial')) await rm(join(folder, name), { force: true }); // a crash while a file was replaced
  let since = await oldest();

  async function write(): Promise<void> {
    const batch = gathered;
    gathered = [];
    if (batch.length === 0) return;
    try {
      const name = current?.name ?? `${clock()}-${randomUUID()}.open`;
      current ??= { name, file: await createDurably(join(folder, name)) };
      await appendWhole(current.file, `\n${batch.map(({ text }) => text).join('')}`); // a torn entry before it stays alone
      since ??= bornAt(name);
      for (const { done } of batch) done();
    } catch (error) {
      await rotate().catch((err) => log.warn({ err }, 'a journal file could not be closed'));
      for (const { failed } of batch) failed(error);
    }
  }

  async function rotate(): Promise<void> {
    if (!current) return;
    const { file, name } = current;
    current = null;
    await file.close();
    await rename(join(folder, name), join(folder, name.replace(/\.open$/, '.ndjson')));
  }

  async function play(one: (entry: Entry) => Promise<void>): Promise<number> {
    await inTurn(rotate);
    let played = 0;
    for (const name of await waiting()) {
      const before = rests.get(name);
      if (before && clock() < before.until) continue;
      const result = await playFile(folder, name, one, log);
      played += result.played;
      if (result.isAway) break;
      rests.delete(name);
      if (result.left === 0) continue;
      const ms = before && result.played === 0 ? Math.min(before.ms * 2, REST_MS_MAX) : REST_MS_MIN;
      rests.set(name, { ms, until: clock() + ms });
    }
    await inTurn(async () => {
      since = await oldest();
    });
    return played;
  }

  return {
    append: (entry) =>
      new Promise((done, failed) => {
        gathered.push({ text: `${JSON.stringify(entry)}\n`, done, failed });
        inTurn(write);
      }),
    replay(one) {
      replaying ??= play(one).finally(() => {
        replaying = null;
      });
      return replaying;
    },
    setAside: () => countSetAside(folder),
    look: () =>
      inTurn(async () => {
        since = await oldest();
        return since !== null;
      }),
    forgetFailed: (isTheirs) => forgetSetAside(folder, isTheirs),
    get isEmpty() {
      return since === null;
    },
    get waitingSince() {
      return since === null ? null : new Date(since);
    },
    oldest: () => oldestIn(folder),
    async close() {
      await inTurn(rotate);
      lock.release();
    },
  };
}
