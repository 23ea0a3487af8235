// What the counts of an A/B test show, valid however often one looks (beta-binomial mixture; Lindon & Malek 2022). Pure.
// Under "no effect" the arm of a person who converted is a coin with the odds of the shares, whatever the rate, the weekday or the
// delay: so only converters' arms are asked, and two counts are enough.

/** How sharply the mixture looks around "no effect": worth as much as this many converters seen before. */
const PRIOR = 100;
const SRM_PRIOR = 1000;
export const ALPHA = 0.05;
const SRM_ALPHA = 0.001;

// Stirling's series from here on is exact to the last digits of a double.
const SERIES_FROM = 10;

/** Natural logarithm of Γ(x), x > 0. */
function logGamma(x: number): number {
  let at = x;
  let factor = 1;
  for (; at < SERIES_FROM; at += 1) factor *= at;
  const square = at * at;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - Math.log(factor);
}

/** n·ln(p), with none of it when there is nothing to weigh. */
const weighed = (n: number, p: number) => (n === 0 ? 0 : n * Math.log(p));

/** ln of the mixture's likelihood over that of the probabilities: of counts by arm, around `shares`, against `against`. */
function logMixture(
  counts: readonly number[],
  shares: readonly number[],
  prior: number,
  against: readonly number[],
): number {
  let total = 0;
  let log = logGamma(prior);
  for (const [i, count] of counts.entries()) {
    const weight = prior * shares[i]!;
    total += count;
    log += logGamma(weight + count) - logGamma(weight) - weighed(count, against[i]!);
  }
  return log - logGamma(prior + total);
}

/** Converters of a variant and of the control, and the variant's share of both. */
export interface Pair {
  variant: number;
  control: number;
  share: number;
}

const logM = ({ variant, control, share }: Pair, q: number) =>
  logMixture([variant, control], [share, 1 - share], PRIOR, [q, 1 - q]);

/** M(π): how many times likelier the counts are with an effect than without. Its mean under "no effect" is 1, whenever one looks. */
export const evidenceOf = (pair: Pair): number => Math.exp(logM(pair, pair.share));

/** The chance to see at least this much, ever, without an effect; m: variants compared with one control. */
export const pOf = (pair: Pair, m = 1): number => Math.min(1, m * Math.exp(-logM(pair, pair.share)));

/** By how much a variant's rate is above the control's, when q is its part of their converters. */
const liftOf = (q: number, share: number): number => (q / (1 - q)) * ((1 - share) / share) - 1;

/** Where M(q) crosses the bound between a q that is inside and one that is outside. */
function edge(pair: Pair, inside: number, outside: number, bound: number): number {
  let [from, to] = [inside, outside];
  for (let i = 0; i < 60; i += 1) {
    const middle = (from + to) / 2;
    if (logM(pair, middle) < bound) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

export interface Comparison {
  /** The lift that was seen; null: no converters of the control yet. */
  lift: number | null;
  /** Between these the lift lies; low ≥ -1; high null: nothing says how large it is at most. */
  low: number;
  high: number | null;
  evidence: number;
  p: number;
}

/** All that the counts say of a variant against the control; m: variants compared with it. */
export function compare(pair: Pair, m = 1): Comparison {
  const { variant, control, share } = pair;
  const bound = Math.log(m / ALPHA);
  // At what was seen M is at most 1, so both edges lie outwards of it.
  const seen = variant + control === 0 ? share : variant / (variant + control);
  const low = variant === 0 ? 0 : edge(pair, seen, 0, bound);
  const high = control === 0 ? 1 : edge(pair, seen, 1, bound);
  return {
    lift: control === 0 ? null : liftOf(seen, share),
    low: liftOf(low, share),
    high: high === 1 ? null : liftOf(high, share),
    evidence: evidenceOf(pair),
    p: pOf(pair, m),
  };
}

/** Whether an effect is decided: no "no effect" is left in the interval. */
export const isDecided = (pair: Pair, m = 1): boolean => logM(pair, pair.share) >= Math.log(m / ALPHA);

export interface Srm {
  /** How many times likelier the arms' sizes are with other shares than with those asked for. */
  evidence: number;
  /** Visitors did not come to the arms as the shares say: something sends one arm elsewhere, and nothing can be concluded. */
  flagged: boolean;
}

/** Sample ratio mismatch: the same measure, of everybody who was exposed, by arm. */
export function mismatchOf(exposed: readonly number[], shares: readonly number[]): Srm {
  const log = logMixture(exposed, shares, SRM_PRIOR, shares);
  return { evidence: Math.exp(log), flagged: log >= -Math.log(SRM_ALPHA) };
}

const CONVERTERS_MAX = 10_000_000;

/**
 * How many converters of both arms decide a lift: what a typical run needs, seen as the counts that the lift makes on average.
 * null  more than any site has
 */
export function convertersToDecide(lift: number, share: number, m = 1): number | null {
  const odds = ((1 + lift) * share) / (1 - share);
  const q = odds / (1 + odds);
  const decides = (n: number) => isDecided({ variant: n * q, control: n * (1 - q), share }, m);
  if (lift === 0 || !decides(CONVERTERS_MAX)) return null;
  let [from, to] = [0, CONVERTERS_MAX];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (decides(middle)) to = middle;
    else from = middle;
  }
  return to;
}
