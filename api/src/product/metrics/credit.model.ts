// How a conversion is credited to the touches before it, said once more beside credit_leads.sql: what tests compare it with.
import { type Model, WHOLE } from './reports/credits.ts';

const HALF_LIFE_MS = 7 * 86_400_000; // a touch a week older weighs half

/** Splits one conversion over weights in whole millionths; the remainder goes to the largest fractions, the later first. */
export function split(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (weight / total) * WHOLE);
  const shares = exact.map(Math.floor);
  const order = exact
    .map((share, i) => ({ i, rest: share - shares[i]! }))
    .sort((a, b) => b.rest - a.rest || b.i - a.i);
  let left = WHOLE - shares.reduce((sum, share) => sum + share, 0);
  for (const { i } of order) {
    if (left <= 0) break;
    shares[i]! += 1;
    left -= 1;
  }
  return shares;
}

/** ages  milliseconds from each touch to the conversion, oldest touch first */
export function credit(model: Model, ages: number[]): number[] {
  const n = ages.length;
  const only = (at: number) => ages.map((_, i) => (i === at ? 1 : 0));
  switch (model) {
    case 'first':
      return split(only(0));
    case 'last':
      return split(only(n - 1));
    case 'linear':
      return split(ages.map(() => 1));
    case 'time_decay': {
      // relative to the youngest, so that a long way back does not underflow to nothing
      const youngest = ages.at(-1)!;
      return split(ages.map((age) => 2 ** (-(age - youngest) / HALF_LIFE_MS)));
    }
    case 'position':
      // 40 % to the first, 40 % to the last, the rest shared by those between; two share evenly
      if (n <= 2) return split(ages.map(() => 1));
      return split(ages.map((_, i) => (i === 0 || i === n - 1 ? 0.4 : 0.2 / (n - 2))));
  }
}
