// Which arm of a test a browser is in: a pure function of both, so that it stays the same without anything being kept. The page's
// script computes it to know what to show; the server computes it again and stores its own, since a page can lie.

/** Parts of all visitors of a test: an arm has those below its bound and above the one before. */
export const PARTS = 10_000;
export const CONTROL = 'control';

/** Arms with their upper bounds, the control first: who is in the control of a test stays there when its shares shrink to a holdout. */
export type Split = (readonly [arm: string, below: number])[];

const bytes = new TextEncoder();

/** FNV-1a, then Murmur3's finish: FNV alone leaves neighbouring ids in neighbouring parts. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 0 to 9999. */
export const partOf = (testId: string, anonId: string): number => hashOf(`${testId}:${anonId}`) % PARTS;

export function armOf(testId: string, anonId: string, split: Split): string {
  const part = partOf(testId, anonId);
  for (const [arm, below] of split) if (part < below) return arm;
  return CONTROL;
}

/** The split of shares that sum to 1, the control's first. */
export function splitOf(controlShare: number, variants: readonly { key: string; share: number }[]): Split {
  let sum = controlShare;
  const split: [string, number][] = [[CONTROL, Math.round(sum * PARTS)]];
  for (const { key, share } of variants) {
    sum += share;
    split.push([key, Math.round(sum * PARTS)]);
  }
  split.at(-1)![1] = PARTS;
  return split;
}

/** A split as the feed tells it. */
export const sharesOf = (split: Split): { key: string; share: number }[] =>
  split.map(([key, below], i) => ({ key, share: (below - (split[i - 1]?.[1] ?? 0)) / PARTS }));
