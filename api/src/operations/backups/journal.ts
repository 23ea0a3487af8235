// Brings what another machine was told to forget together with what this one was.
import { readFile } from 'node:fs/promises';
import { appendLines } from '../../product/consent/forget-journal.ts';

/** Adds the lines of one journal that the other lacks; a journal that is not there has none. returns  how many were added */
export async function mergeJournal(from: string, into: string): Promise<number> {
  const linesOf = async (path: string) =>
    (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const known = new Set(await linesOf(into));
  const added = (await linesOf(from)).filter((line) => !known.has(line));
  if (added.length > 0) await appendLines(into, added);
  return added.length;
}
