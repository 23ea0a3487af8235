// What the results of an A/B test mean, in a sentence: nothing is said of the numbers that they do not say. Pure.
import type { Results } from '../../../ab-tests/schema.ts';
import type { TestsWords } from '../words/en/tests.ts';
import type { Format } from './format.ts';

export interface Verdict {
  level: 'good' | 'wrong' | 'warn' | '';
  says: string;
  /** What it still needs, or what is to be done. */
  next?: string;
}

const CONVERTERS_MIN = 100;
const DAY_MS = 86_400_000;

/** +8 %, −3 %, 0 % */
export const signed = (lift: number, { share }: Pick<Format, 'share'>): string =>
  lift > 0 ? `+${share(lift)}` : share(lift).replace('-', '−');

/** now  ms, of the clock that the results came by */
export function verdictOf(
  { test, arms, comparisons, verdict, needs }: Results,
  w: TestsWords,
  format: Format,
  now = Date.now(),
): Verdict {
  const high = (value: number | null) => (value === null ? w.unlimited : signed(value, format));
  const strongest = comparisons.toSorted((a, b) => b.evidence - a.evidence)[0]!;
  const helps = comparisons.filter(({ low }) => low > 0).toSorted((a, b) => b.low - a.low)[0] ?? strongest;
  const harms = comparisons.find((one) => one.high !== null && one.high < 0) ?? strongest;
  const bounds = [strongest.variant, signed(strongest.low, format), high(strongest.high)] as const;
  const chosen = test.chosen === null ? undefined : w.chosen(test.chosen);
  const more = (says: string | undefined) => (says === undefined ? {} : { next: says });
  if (verdict === 'invalid') return { level: 'wrong', says: w.invalid };
  if (verdict === 'harmful')
    return {
      level: 'wrong',
      says: w.harmful(
        harms.variant,
        format.share(Math.abs(harms.high ?? 0)),
        format.share(Math.abs(harms.low)),
      ),
    };
  if (verdict === 'better')
    return {
      level: 'good',
      says: w.better(
        helps.variant,
        format.share(helps.low),
        helps.high === null ? w.unlimited : format.share(helps.high),
      ),
      ...more(chosen ?? (test.status === 'running' ? w.betterNext : undefined)),
    };
  if (verdict === 'inconclusive') return { level: 'warn', says: w.inconclusive(test.maxDays, ...bounds) };
  if (test.status === 'ended') return { level: '', says: w.ended, ...more(chosen) };
  if (chosen !== undefined) return { level: '', says: chosen };
  if (arms.every(({ exposed }) => exposed === 0)) return { level: '', says: w.nobodyYet };
  const converted = arms.reduce((sum, arm) => sum + arm.converted, 0);
  const days = (now - Date.parse(test.startedAt!)) / DAY_MS;
  const whole = Math.ceil(test.minDays / 7) * 7;
  const needed =
    needs.converters === null || needs.converters === 0
      ? undefined
      : w.needs(
          format.count(needs.converters),
          needs.days ?? 0,
          needs.days === null ? null : format.count(needs.days),
        );
  if (strongest.low > 0 && (days < whole || converted < CONVERTERS_MIN))
    return { level: '', says: w.tooEarly(format.count(whole)), ...more(needed) };
  return { level: '', says: w.undecided(...bounds), ...more(needed) };
}
