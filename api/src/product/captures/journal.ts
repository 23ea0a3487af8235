// Captures, confirmations and unsubscribes that came while the database was away: appended to a file with fsync, replayed exactly once.
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDatabaseAway } from '../../ground/http/errors.ts';
import type { Log } from '../../ground/lib/log.ts';

export interface Entry {
  kind: string;
  body: unknown;
}

const PASSING = new Set(['57014', '55P03', '40P01', '40001']); // too slow, or in somebody's way, just now
const DATA_FAULT = /^(22|23)/;

/** Whether trying again later makes sense: the database is away, overloaded, or stuck. */
export function isPassing(error: unknown): boolean {
  return isDatabaseAway(error) || PASSING.has((error as { code?: string } | null)?.code ?? '');
}

/** Whether the entry itself cannot be stored, ever. */
export const isDataFault = (error: unknown): boolean =>
  DATA_FAULT.test((error as { code?: string } | null)?.code ?? '');

export interface Journal {
  /** Resolves when the entry is on disk. throws when it could not be written */
  append(entry: Entry): Promise<void>;
  /**
   * Plays what is waiting, in the order it came; a file is removed when every entry of it was played. Entries must be
   * safe to play twice (they carry their ids): a crash in between plays a file again from its beginning.
   * returns  how many entries were played; stops quietly when the database is away (again)
   */
  replay(play: (entry: Entry) => Promise<void>): Promise<number>;
  /** Forgets what was put aside because it could not be stored. returns how many entries */
  forgetFailed(isTheirs: (entry: Entry) => boolean): Promise<number>;
  /** Whether anything may be waiting. */
  readonly isEmpty: boolean;
  close(): Promise<void>;
}

/** folder  made if absent; one process at a time writes there */
export async function openJournal(folder: string, log: Log): Promise<Journal> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // a process that ended while it was writing left its file under this name
  for (const name of await readdir(folder))
    if (name.endsWith('.open'))
      await rename(join(folder, name), join(folder, name.replace(/\.open$/, '.ndjson')));
  const waiting = async () => (await readdir(folder)).filter((name) => /^\d.*\.ndjson$/.test(name)).sort();
  let isEmpty = (await waiting()).length === 0;
  let current: { file: FileHandle; path: string } | null = null;
  let line: Promise<unknown> = Promise.resolve(); // one writer at a time, in the order of arrival
  let gathered: { text: string; done: () => void; failed: (error: unknown) => void }[] = [];
  let replaying: Promise<number> | null = null;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = line.then(work, work);
    line = turn.catch(() => {});
    return turn;
  };

  async function write(): Promise<void> {
    const batch = gathered;
    gathered = [];
    if (batch.length === 0) return;
    try {
      if (!current) {
        const path = join(folder, `${Date.now()}-${randomUUID()}.open`);
        current = { file: await open(path, 'ax', 0o600), path };
        // the file's name is on disk only when its folder is
        const directory = await open(folder, 'r');
        await directory.sync();
        await directory.close();
      }
      await current.file.write(`\n${batch.map(({ text }) => text).join('')}`); // a torn entry before it stays alone
      await current.file.datasync();
      isEmpty = false;
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }

  async function rotate(): Promise<void> {
    if (!current) return;
    const { file, path } = current;
    current = null;
    await file.close();
    await rename(path, path.replace(/\.open$/, '.ndjson'));
  }

  async function play(one: (entry: Entry) => Promise<void>): Promise<number> {
    await inTurn(rotate);
    let played = 0;
    for (const name of await waiting()) {
      const path = join(folder, name);
      const lines = (await readFile(path, 'utf8')).split('\n');
      for (const [number, text] of lines.entries()) {
        if (!text) continue;
        let entry: Entry;
        try {
          entry = JSON.parse(text);
        } catch {
          // torn by a crash: it was never answered, since the answer waits for the disk
          log.warn({ journal: name, line: number + 1 }, 'a journal entry is incomplete and was left out');
          continue;
        }
        try {
          await one(entry);
          played += 1;
        } catch (err) {
          if (isPassing(err)) return played;
          log.error(
            { err, journal: name, line: number + 1 },
            'a journal entry could not be stored; kept beside the journal',
          );
          await inTurn(async () => {
            const failed = await open(join(folder, 'failed.ndjson'), 'a', 0o600);
            await failed.write(`${text}\n`);
            await failed.sync();
            await failed.close();
          });
        }
      }
      await rm(path);
    }
    isEmpty = current === null && (await waiting()).length === 0;
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
    forgetFailed: (isTheirs) =>
      inTurn(async () => {
        const path = join(folder, 'failed.ndjson');
        const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return '';
          throw error;
        });
        const lines = text.split('\n').filter(Boolean);
        const kept = lines.filter((one) => {
          try {
            return !isTheirs(JSON.parse(one) as Entry);
          } catch {
            return false; // torn: nobody could store it any more
          }
        });
        if (kept.length === lines.length) return 0;
        await writeFile(`${path}.new`, kept.map((one) => `${one}\n`).join(''), { mode: 0o600, flush: true });
        await rename(`${path}.new`, path);
        return lines.length - kept.length;
      }),
    get isEmpty() {
      return isEmpty;
    },
    async close() {
      await inTurn(rotate);
    },
  };
}
