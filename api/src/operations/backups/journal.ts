// Brings what another machine was told to forget together with what this one was.
import { createHash } from 'node:crypto';
import { inLists, linesOf } from '../../ground/lib/lines.ts';
import { appendLines } from '../../product/consent/forget-journal.ts';

const LINES_AT_ONCE = 1000;

/** Adds the lines of one journal that the other lacks; a journal that is not there has none. returns  how many were added */
export async function mergeJournal(from: string, into: string): Promise<number> {
  const isKnown = await knownIn(into);
  let added = 0;
  for await (const lines of inLists(linesOf(from), LINES_AT_ONCE)) {
    const lacking = lines.filter((line) => !isKnown(line));
    if (lacking.length > 0) await appendLines(into, lacking);
    added += lacking.length;
  }
  return added;
}

/** Whether a line stands in a file. Of each line 8 bytes are held, whatever its length: a million lines are 8 MB. */
async function knownIn(path: string): Promise<(line: string) => boolean> {
  let digests = new BigUint64Array(1024);
  let count = 0;
  for await (const line of linesOf(path)) {
    if (count === digests.length) {
      const larger = new BigUint64Array(count * 2);
      larger.set(digests);
      digests = larger;
    }
    digests[count] = digestOf(line);
    count += 1;
  }
  const sorted = digests.subarray(0, count).sort();
  return (line) => holds(sorted, digestOf(line));
}

const digestOf = (line: string) => createHash('sha256').update(line).digest().readBigUInt64LE(0);

function holds(sorted: BigUint64Array, wanted: bigint): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}
