// Brings what another machine was told to forget together with what this one was.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Adds the lines of one journal that the other lacks; a journal that is not there has none. returns  how many were added */
export async function mergeJournal(from: string, into: string): Promise<number> {
  const linesOf = async (path: string) =>
    (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const known = new Set(await linesOf(into));
  const added = (await linesOf(from)).filter((line) => !known.has(line));
  if (added.length === 0) return 0;
  await mkdir(dirname(into), { recursive: true, mode: 0o700 });
  // a line torn by a crash stays alone
  await appendFile(into, added.map((line) => `\n${line}`).join(''), { mode: 0o600, flush: true });
  return added.length;
}
