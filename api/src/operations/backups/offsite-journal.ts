// The list of what was forgotten, off this machine: lines are added there, and none is lost, whoever wrote it.
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Found, Shelf } from '../../ground/shelf/target.ts';
import { JOURNAL, type Known } from './there.ts';

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/**
 * A machine that was set up anew knows only what it was told itself: its list never takes the place of the one there,
 * from which a restore has yet to learn.
 * found  what lies there
 * room   a folder of this machine to work in
 */
export async function bringJournal(
  shelf: Shelf,
  found: readonly Found[],
  { journal, room, known }: { journal: string; room: string; known: Known },
): Promise<void> {
  const lies = found.find(({ name }) => name === JOURNAL);
  const here = (await stat(journal).catch(() => null))?.size ?? 0;
  if (known.journal && known.journal.here === here && known.journal.there === lies?.bytes) return;
  const own = linesOf(await readFile(journal, 'utf8').catch(() => ''));
  if (own.length === 0) return;
  const path = join(room, JOURNAL);
  await rm(path, { force: true });
  try {
    if (lies) await shelf.get(JOURNAL, path);
    const lines = new Set(lies ? linesOf(await readFile(path, 'utf8')) : []);
    const added = own.filter((line) => !lines.has(line));
    const text = [...lines, ...added].map((line) => `\n${line}`).join('');
    if (added.length > 0) {
      await writeFile(path, text, { mode: 0o600 });
      await shelf.put(path);
    }
    known.journal = { here, there: added.length > 0 ? Buffer.byteLength(text) : (lies?.bytes ?? 0) };
  } finally {
    await rm(path, { force: true });
  }
}
