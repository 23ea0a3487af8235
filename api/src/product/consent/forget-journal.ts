// Erasures and withdrawals, kept outside the database: a backup that is restored learns again what was forgotten since.
// Ids, hashes and times only; an address never stands here.
import { createHash } from 'node:crypto';
import { link, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appendAmongOthers, makeFolder, renameDurably, syncFolder } from '../../ground/lib/durable.ts';
import { inLists, linesOf } from '../../ground/lib/lines.ts';

export type Forgotten =
  | {
      kind: 'erasure';
      siteId: string;
      leadId: string | null;
      emailHash: string;
      at: string;
      /** Nobody asked: the lead's time was over. */
      isOver?: boolean;
      /** Keyed hashes of the addresses that were corrected to theirs. */
      earlier?: string[];
    }
  /** Of a browser that is nobody's lead; hash: keyed, of its id. */
  | { kind: 'browser'; siteId: string; visitorId: string; hash: string; at: string }
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
    }
  /** That they may be named on the site: taken back. */
  | { kind: 'display'; siteId: string; leadId: string; at: string }
  /** Of somebody who signed in. */
  | { kind: 'account'; userId: string; at: string }
  /** A program's, that was revoked: a restored backup must not open a door that was closed. */
  | { kind: 'key'; keyId: string; at: string }
  /** A shared view's link, likewise. */
  | { kind: 'share'; shareId: string; at: string }
  /** Who left the mails about a site. */
  | { kind: 'recipient'; siteId: string; recipientId: string; at: string }
  /** Whose rows files of the archive held: browsers, and forms with their days. */
  | {
      kind: 'archive';
      siteId: string;
      visitors: string[];
      events: [eventId: string, day: string][];
      at: string;
    };

/** A purpose is a site's word: the journal holds none. */
export const purposeDigest = (purpose: string): string => createHash('sha256').update(purpose).digest('hex');

// Longer than any backup is kept (35 days), with room for one that was put aside.
const KEPT_MS = 400 * 86_400_000;
const LINES_AT_ONCE = 1000;
// What is written beside the journal only for its time never takes more than this.
const NOBODY_BYTES_MAX = 64 * 1024;

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
 * The same writes as for an entry, for somebody the database does not know: the time of an answer tells nothing, and
 * strangers lengthen nothing. What is written is never read, and begins anew before it is long.
 */
export function rememberNobody(path: string, entry: Forgotten): Promise<void> {
  return inTurn(async () => {
    const nobody = `${path}.nobody`;
    await appendLines(nobody, [JSON.stringify(entry)]);
    if ((await stat(nobody)).size > NOBODY_BYTES_MAX) await truncate(nobody, 0);
  });
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

/** The file before a trim, as long as the trim is not finished. */
const before = (path: string) => `${path}.before`;

/** In the order it happened, one at a time; some may come twice. Lines torn by a crash are left out. */
export async function* readForgotten(path: string): AsyncGenerator<Forgotten> {
  for (const file of [before(path), path])
    for await (const line of linesOf(file)) {
      const entry = parsed(line);
      if (entry) yield entry;
    }
}

function parsed(line: string): Forgotten | null {
  try {
    return JSON.parse(line) as Forgotten;
  } catch {
    return null;
  }
}

/** Leaves out what is older than any backup can be. One trim at a time (the purge's lock); others may write meanwhile. */
export function trimForgotten(path: string, now = Date.now()): Promise<number> {
  return inTurn(() => trim(path, (line) => now - Date.parse(parsed(line)?.at ?? '') < KEPT_MS));
}

async function trim(path: string, isKept: (line: string) => boolean): Promise<number> {
  await takeOver(path, 0, ''); // a trim that ended half way
  if (!(await hasOld(path, isKept))) return 0;
  const size = (await stat(path)).size;
  const seen = { old: 0, last: '', lastAt: 0 };
  const kept = keptOf(path, size, isKept, seen);
  await writeFile(`${path}.new`, kept, { mode: 0o600, flush: true });
  await link(path, before(path));
  await syncFolder(dirname(path)); // the old file has its second name before it loses the first
  await renameDurably(`${path}.new`, path);
  await takeOver(path, seen.lastAt, seen.last);
  return seen.old;
}

async function hasOld(path: string, isKept: (line: string) => boolean): Promise<boolean> {
  for await (const line of linesOf(path)) if (!isKept(line)) return true;
  return false;
}

/** The file's first `size` bytes without what is old, in pieces of some kilobytes; and where its last line begins, which may be torn. */
async function* keptOf(
  path: string,
  size: number,
  isKept: (line: string) => boolean,
  seen: { old: number; last: string; lastAt: number },
): AsyncGenerator<string> {
  for await (const lines of inLists(linesOf(path, { end: size - 1 }), LINES_AT_ONCE)) {
    const kept = lines.filter(isKept);
    seen.old += lines.length - kept.length;
    seen.last = lines.at(-1)!;
    if (kept.length > 0) yield kept.map((line) => `\n${line}`).join('');
  }
  seen.lastAt = size - Buffer.byteLength(seen.last);
}

/** Adds what came to the old file from a byte on, but for the line that is known already, and removes it. */
async function takeOver(path: string, from: number, known: string): Promise<void> {
  let isFirst = true;
  for await (const lines of inLists(linesOf(before(path), { start: from }), LINES_AT_ONCE)) {
    const late = isFirst && lines[0] === known ? lines.slice(1) : lines;
    isFirst = false;
    if (late.length > 0) await appendLines(path, late);
  }
  await rm(before(path), { force: true });
}
