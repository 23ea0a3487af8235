// Erasures and withdrawals, kept outside the database: a backup that is restored learns again what was forgotten since.
// Ids, hashes and times only; an address never stands here.
import { createHash } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  appendAmongOthers,
  makeFolder,
  renameDurably,
  syncFolder,
  writeSynced,
} from '../../ground/lib/durable.ts';

export type Forgotten =
  | { kind: 'erasure'; siteId: string; leadId: string | null; emailHash: string; at: string }
  | {
      kind: 'withdrawal';
      siteId: string;
      leadId: string;
      /** When it was written down: a backup of before does not know it. */
      at: string;
      /** When the person said so; absent: the same moment. */
      saidAt?: string;
      /** purposeDigest() of each; absent: of everything. */
      purposes?: string[];
    };

/** A purpose is a site's word: the journal holds none. */
export const purposeDigest = (purpose: string): string => createHash('sha256').update(purpose).digest('hex');

// Longer than any backup is kept (35 days), with room for one that was put aside.
const KEPT_MS = 400 * 86_400_000;

// one writer at a time in this process
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work);
  turn = mine.catch(() => {});
  return mine;
}

/** Resolves when the line is on disk. */
export function rememberForgotten(path: string, entry: Forgotten): Promise<void> {
  return inTurn(() => appendLines(path, [JSON.stringify(entry)]));
}

/**
 * Adds lines that survive a trim of another process, without a lock. A trim puts another file in the journal's place and
 * then takes over what the old one got meanwhile. So either our lines were in the old file before that, and are taken
 * over; or the look below sees another file there, and writes them again. A line that stands twice changes nothing.
 */
export async function appendLines(path: string, lines: string[]): Promise<void> {
  await makeFolder(dirname(path));
  for (;;) {
    const file = await open(path, 'a', 0o600);
    try {
      // a line torn by a crash stays alone
      await appendAmongOthers(file, lines.map((line) => `\n${line}`).join(''));
      const there = await stat(path).catch(() => null);
      if (there?.ino === (await file.stat()).ino) return await syncFolder(dirname(path));
    } finally {
      await file.close();
    }
  }
}

const textOf = (path: string) =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
/** The file before a trim, as long as the trim is not finished. */
const before = (path: string) => `${path}.before`;

/** In the order it happened; lines torn by a crash are left out. */
export async function readForgotten(path: string): Promise<Forgotten[]> {
  const lines = new Set(`${await textOf(before(path))}\n${await textOf(path)}`.split('\n'));
  return [...lines].flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as Forgotten] : [];
    } catch {
      return [];
    }
  });
}

/** Leaves out what is older than any backup can be. One trim at a time (the purge's lock); others may write meanwhile. */
export function trimForgotten(path: string, now = Date.now()): Promise<number> {
  return inTurn(() => trim(path, now));
}

async function trim(path: string, now: number): Promise<number> {
  await takeOver(path); // a trim that ended half way
  const all = await readForgotten(path);
  const kept = all.filter(({ at }) => now - Date.parse(at) < KEPT_MS);
  if (kept.length === all.length) return 0;
  await writeSynced(`${path}.new`, kept.map((entry) => `\n${JSON.stringify(entry)}`).join(''));
  await link(path, before(path));
  await syncFolder(dirname(path)); // the old file has its second name before it loses the first
  await renameDurably(`${path}.new`, path);
  await takeOver(path, new Set(all.map((entry) => JSON.stringify(entry))));
  return all.length - kept.length;
}

/** Adds what came to the old file since it was read (all of it, when nobody knows), and removes it. */
async function takeOver(path: string, known?: Set<string>): Promise<void> {
  const late = (await textOf(before(path))).split('\n').filter((line) => line && !known?.has(line));
  if (late.length > 0) await appendLines(path, late);
  await rm(before(path), { force: true });
}
