// From counts to a verdict. Pure: who was exposed and converted, since when, and what the test asks for.
import { CONTROL } from './arm.ts';
import { compare, convertersToDecide, isDecided, mismatchOf } from './evidence.ts';
import type { AbTest, Arm, Compared, Results, Verdict } from './schema.ts';

const CONVERTERS_MIN = 100;
const DAY_MS = 86_400_000;
const LIFTS = [0.1, 0.2, 0.3, 0.5, 1];

export type Asked = Pick<AbTest, 'variants' | 'controlShare' | 'minDays' | 'maxDays'>;

export interface Judged {
  arms: Arm[];
  comparisons: Compared[];
  srm: Results['srm'];
  verdict: Verdict;
  /** The better variant, whose low end is the highest. */
  best: string | null;
}

export const wholeWeeks = (days: number) => Math.ceil(days / 7) * 7;
export const daysBetween = (fromMs: number, toMs: number): number => Math.max(0, (toMs - fromMs) / DAY_MS);
const rateOf = (converted: number, exposed: number) => (exposed === 0 ? null : converted / exposed);

/** counts  by arm; days  since it began */
export function judge(
  asked: Asked,
  counts: ReadonlyMap<string, { exposed: number; converted: number }>,
  days: number,
): Judged {
  const keys = [CONTROL, ...asked.variants.map(({ key }) => key)];
  const arms = keys.map((key) => {
    const { exposed = 0, converted = 0 } = counts.get(key) ?? {};
    return { key, exposed, converted, rate: rateOf(converted, exposed) };
  });
  const m = asked.variants.length;
  const pairs = asked.variants.map(({ key, share }, i) => ({
    key,
    pair: {
      variant: arms[i + 1]!.converted,
      control: arms[0]!.converted,
      share: share / (share + asked.controlShare),
    },
  }));
  const comparisons = pairs.map(({ key, pair }) => ({ variant: key, ...compare(pair, m) }));
  const srm = mismatchOf(
    arms.map(({ exposed }) => exposed),
    [asked.controlShare, ...asked.variants.map(({ share }) => share)],
  );
  const isTime = days >= wholeWeeks(asked.minDays);
  const better = comparisons
    .filter(({ low }, i) => {
      const { pair } = pairs[i]!;
      return low > 0 && isDecided(pair, m) && pair.variant + pair.control >= CONVERTERS_MIN && isTime;
    })
    .toSorted((a, b) => b.low - a.low);
  const isHarmful = comparisons.some(({ high }) => high !== null && high < 0);
  const verdict = srm.flagged
    ? 'invalid'
    : isHarmful
      ? 'harmful'
      : better.length > 0
        ? 'better'
        : days >= asked.maxDays
          ? 'inconclusive'
          : 'undecided';
  return { arms, comparisons, srm, verdict, best: verdict === 'better' ? better[0]!.variant : null };
}

/**
 * What is still needed, and what can be learned at all: counted in people of all arms. Of several variants each is compared
 * with the control alone, and only some of all people are in those two.
 * aDay  converters a day, of all arms; null: nothing to go by
 */
export function needsOf(asked: Asked, judged: Judged, days: number, aDay: number | null): Results['needs'] {
  const m = asked.variants.length;
  const pairOf = ({ share }: Pick<Asked['variants'][number], 'share'>) => ({
    part: share + asked.controlShare,
    share: share / (share + asked.controlShare),
  });
  const takes = (converters: number | null) =>
    converters === null || !aDay ? null : Math.ceil(Math.max(converters / aDay, wholeWeeks(asked.minDays)));
  // the variant that fewest people see
  const least = pairOf(asked.variants.reduce((a, b) => (b.share < a.share ? b : a)));
  const learns = LIFTS.map((lift) => {
    const pair = convertersToDecide(lift, least.share, m);
    const converters = pair === null ? null : inAll(Math.max(pair, CONVERTERS_MIN), least.part);
    return { lift, converters, days: takes(converters) };
  });
  const seen = judged.comparisons.toSorted((a, b) => Math.abs(b.lift ?? 0) - Math.abs(a.lift ?? 0))[0];
  const { share, part } = pairOf(
    asked.variants.find(({ key }) => key === seen?.variant) ?? asked.variants[0]!,
  );
  const toDecide = seen?.lift ? convertersToDecide(seen.lift, share, m) : null;
  if (toDecide === null) return { converters: null, days: null, learns };
  const have = judged.arms
    .filter(({ key }) => key === CONTROL || key === seen!.variant)
    .reduce((sum, { converted }) => sum + converted, 0);
  const converters = inAll(Math.max(0, Math.max(toDecide, CONVERTERS_MIN) - have), part);
  const rest = Math.max(0, wholeWeeks(asked.minDays) - days);
  return {
    converters,
    days: converters > 0 && !aDay ? null : Math.ceil(Math.max(rest, aDay ? converters / aDay : 0)),
    learns,
  };
}

/** How many there are in all arms by then. Shares are fractions of ten: their sum is 1 but for its last digits. */
const inAll = (converters: number, part: number): number =>
  converters === 0 ? 0 : Math.ceil(converters / part - 1e-6);
