// Files of lines, read one line at a time: what strangers can lengthen is never in memory whole.
import { createReadStream } from 'node:fs';

/**
 * The lines of a file without the empty ones. None when there is no such file.
 * start, end  bytes, end inclusive; default: all of it
 */
export async function* linesOf(
  path: string,
  range: { start?: number; end?: number } = {},
): AsyncGenerator<string> {
  let begun = '';
  try {
    for await (const piece of createReadStream(path, { ...range, encoding: 'utf8' })) {
      const lines = (begun + piece).split('\n');
      begun = lines.pop()!;
      for (const line of lines) if (line !== '') yield line;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (begun !== '') yield begun;
}

/** In lists of at most `most`. */
export async function* inLists<T>(all: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let list: T[] = [];
  for await (const one of all) {
    list.push(one);
    if (list.length < most) continue;
    yield list;
    list = [];
  }
  if (list.length > 0) yield list;
}
