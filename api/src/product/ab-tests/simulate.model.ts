// Made-up tests with a seed, for the bench and its short form in the suite: how often the evidence is wrong, and how soon it is right.
import { armOf, PARTS, partOf, type Split } from './arm.ts';
import { ALPHA, mismatchOf } from './evidence.ts';

/** Numbers between 0 and 1 that a seed decides (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Simulated {
  /** Part of the runs in which "no effect" was ever rejected, looking after every conversion. */
  decided: number;
  /** Part of the runs in which the true lift was ever outside the interval. */
  missed: number;
  /** After how many converters half of those that decided had. */
  median: number | null;
}

/**
 * Tests that are looked at after each conversion, to the end.
 * M is kept as a product, a factor a conversion, as its formula says; evidence.test.ts compares it with the formula in one piece.
 */
export function simulate(options: {
  runs: number;
  conversions: number;
  share: number;
  lift: number;
  seed: number;
}): Simulated {
  const { runs, conversions, share, lift, seed } = options;
  const next = chances(seed);
  const odds = ((1 + lift) * share) / (1 - share);
  const q = odds / (1 + odds);
  const bound = 1 / ALPHA;
  let missed = 0;
  const decidedAt: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    let [variant, control, none, truth] = [0, 0, 1, 1];
    let decided = 0;
    let isMissed = false;
    for (let n = 0; n < conversions; n += 1) {
      if (next() < q) {
        const seen = (100 * share + variant) / (100 + n);
        none *= seen / share;
        truth *= seen / q;
        variant += 1;
      } else {
        const seen = (100 * (1 - share) + control) / (100 + n);
        none *= seen / (1 - share);
        truth *= seen / (1 - q);
        control += 1;
      }
      if (decided === 0 && none >= bound) decided = n + 1;
      if (truth >= bound) isMissed = true;
    }
    if (decided > 0) decidedAt.push(decided);
    if (isMissed) missed += 1;
  }
  decidedAt.sort((a, b) => a - b);
  return {
    decided: decidedAt.length / runs,
    missed: missed / runs,
    median: decidedAt[Math.ceil(runs / 2) - 1] ?? null,
  };
}

/** Part of the runs without an effect in which any of several variants was ever said to have one, each looked at after every conversion. */
export function simulateSeveral(options: {
  runs: number;
  conversions: number;
  /** Of each variant; control has the rest. */
  shares: readonly number[];
  seed: number;
}): number {
  const { runs, conversions, shares, seed } = options;
  const next = chances(seed);
  const control = 1 - shares.reduce((sum, share) => sum + share, 0);
  const pairs = shares.map((share) => share / (share + control));
  const bound = shares.length / ALPHA;
  let wrong = 0;
  for (let run = 0; run < runs; run += 1) {
    const seen = pairs.map(() => ({ variant: 0, control: 0, none: 1 }));
    let isWrong = false;
    for (let n = 0; n < conversions && !isWrong; n += 1) {
      let at = next();
      let arm = 0;
      while (arm < shares.length && at >= shares[arm]!) {
        at -= shares[arm]!;
        arm += 1;
      }
      for (const [i, pair] of seen.entries()) {
        if (arm !== i && arm !== shares.length) continue;
        const share = arm === i ? pairs[i]! : 1 - pairs[i]!;
        const before = arm === i ? pair.variant : pair.control;
        pair.none *= (100 * share + before) / (100 + pair.variant + pair.control) / share;
        if (arm === i) pair.variant += 1;
        else pair.control += 1;
        if (pair.none >= bound) isWrong = true;
      }
    }
    if (isWrong) wrong += 1;
  }
  return wrong / runs;
}

/** Part of the runs in which visitors who come otherwise than the shares say are flagged by their number at the latest. */
export function simulateMismatch(options: {
  runs: number;
  visitors: number;
  share: number;
  really: number;
  seed: number;
}): number {
  const { runs, visitors, share, really, seed } = options;
  const next = chances(seed);
  let flagged = 0;
  for (let run = 0; run < runs; run += 1) {
    let first = 0;
    for (let n = 1; n <= visitors; n += 1) {
      if (next() < really) first += 1;
      // every fiftieth: looking more often flags more, never less
      if (n % 50 === 0 && mismatchOf([first, n - first], [share, 1 - share]).flagged) {
        flagged += 1;
        break;
      }
    }
  }
  return flagged / runs;
}

/**
 * How even the parts are, and how independent the arms of two tests: chi-square per degree of freedom (1 on average), over all
 * parts and over the table of two tests of two arms.
 */
export function evenness(ids: number, seed: number): { parts: number; together: number } {
  const next = chances(seed);
  const counts = new Uint32Array(PARTS);
  const half: Split = [
    ['control', PARTS / 2],
    ['variant', PARTS],
  ];
  const table = [0, 0, 0, 0];
  for (let i = 0; i < ids; i += 1) {
    const id = `${Math.floor(next() * 2 ** 32).toString(16)}-${i}`;
    counts[partOf('00000000-0000-4000-8000-000000000001', id)]! += 1;
    const first = armOf('00000000-0000-4000-8000-000000000001', id, half) === 'control' ? 0 : 2;
    const second = armOf('00000000-0000-4000-8000-000000000002', id, half) === 'control' ? 0 : 1;
    table[first + second]! += 1;
  }
  const chiSquare = (seen: Iterable<number>, expected: number) => {
    let sum = 0;
    for (const count of seen) sum += (count - expected) ** 2 / expected;
    return sum;
  };
  return {
    parts: chiSquare(counts, ids / PARTS) / (PARTS - 1),
    together: chiSquare(table, ids / 4) / 3,
  };
}
