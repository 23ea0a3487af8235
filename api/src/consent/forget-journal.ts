// Erasures and withdrawals, kept outside the database: a backup that is restored learns again what was forgotten since.
// Ids, hashes and times only; an address never stands here.
import { appendFile, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export type Forgotten =
  | { kind: 'erasure'; siteId: string; leadId: string | null; emailHash: string; at: string }
  | { kind: 'withdrawal'; siteId: string; leadId: string; at: string };

// Longer than any backup is kept (35 days), with room for one that was put aside.
const KEPT_MS = 400 * 86_400_000;

// one writer at a time in this process, so that trimming never loses a line that is being added
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work);
  turn = mine.catch(() => {});
  return mine;
}

/** Resolves when the line is on disk. */
export function rememberForgotten(path: string, entry: Forgotten): Promise<void> {
  return inTurn(() => append(path, entry));
}

async function append(path: string, entry: Forgotten): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  try {
    // a line torn by a crash stays alone
    await file.write(`\n${JSON.stringify(entry)}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** In the order it happened; lines torn by a crash are left out. */
export async function readForgotten(path: string): Promise<Forgotten[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as Forgotten] : [];
    } catch {
      return [];
    }
  });
}

/** Leaves out what is older than any backup can be. For a job of the process that writes there. */
export function trimForgotten(path: string, now = Date.now()): Promise<number> {
  return inTurn(() => trim(path, now));
}

async function trim(path: string, now: number): Promise<number> {
  const all = await readForgotten(path);
  const kept = all.filter(({ at }) => now - Date.parse(at) < KEPT_MS);
  if (kept.length === all.length) return 0;
  await appendFile(`${path}.new`, kept.map((entry) => `\n${JSON.stringify(entry)}`).join(''), {
    mode: 0o600,
  });
  await rename(`${path}.new`, path);
  return all.length - kept.length;
}
