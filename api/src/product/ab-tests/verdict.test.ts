// When counts become a verdict: not before its time, not on arms that are not what they should be, and at once when they do harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertersToDecide } from './evidence.ts';
import { type Asked, judge, needsOf } from './verdict.ts';

const asked: Asked = {
  variants: [{ key: 'a', share: 0.5, texts: null, templateId: null, trigger: null }],
  controlShare: 0.5,
  minDays: 10,
  maxDays: 56,
};
const counts = (control: [number, number], ...variants: [number, number][]) =>
  new Map(
    [control, ...variants].map(([exposed, converted], i) => [
      i === 0 ? 'control' : 'abcd'[i - 1]!,
      { exposed, converted },
    ]),
  );
const verdict = (of: ReturnType<typeof counts>, days: number) => judge(asked, of, days).verdict;

test('without anybody it is undecided, and its numbers are nulls and zeros', () => {
  const { arms, comparisons, verdict: none, srm } = judge(asked, new Map(), 3);
  assert.deepEqual(arms, [
    { key: 'control', exposed: 0, converted: 0, rate: null },
    { key: 'a', exposed: 0, converted: 0, rate: null },
  ]);
  assert.deepEqual(comparisons, [{ variant: 'a', lift: null, low: -1, high: null, evidence: 1, p: 1 }]);
  assert.deepEqual([none, srm.flagged], ['undecided', false]);
});

test('better is said after whole weeks and 100 converters, not before', () => {
  const clear = counts([4000, 385], [4000, 515]);
  assert.equal(verdict(clear, 13.9), 'undecided');
  assert.equal(verdict(clear, 14), 'better');
  assert.equal(judge(asked, clear, 14).best, 'a');
  const few = counts([500, 12], [500, 60]);
  assert.ok(judge(asked, few, 20).comparisons[0]!.low > 0);
  assert.equal(verdict(few, 20), 'undecided');
});

test('harm is said at once', () => {
  assert.equal(verdict(counts([500, 90], [500, 30]), 1), 'harmful');
});

test('arms of the wrong size make it invalid, whatever else they show', () => {
  assert.equal(verdict(counts([600, 40], [900, 200]), 20), 'invalid');
});

test('after its last day it is inconclusive, and not worse', () => {
  const same = counts([4000, 400], [4000, 410]);
  assert.deepEqual([verdict(same, 55), verdict(same, 56)], ['undecided', 'inconclusive']);
});

test('of several variants the best one is that whose low end is the highest', () => {
  const two: Asked = {
    ...asked,
    controlShare: 0.4,
    variants: ['a', 'b'].map((key) => ({ key, share: 0.3, texts: null, templateId: null, trigger: null })),
  };
  const { best, comparisons } = judge(two, counts([4000, 400], [3000, 420], [3000, 520]), 21);
  assert.equal(best, 'b');
  assert.equal(comparisons.length, 2);
});

test('what it needs falls with what it has, and never below its time', () => {
  const early = judge(asked, counts([1000, 40], [1000, 55]), 7);
  const needs = needsOf(asked, early, 7, 10);
  assert.ok(needs.converters! > 0 && needs.days! >= 7);
  const more = judge(asked, counts([2000, 80], [2000, 110]), 8);
  assert.ok(needsOf(asked, more, 8, 10).converters! < needs.converters!);
  const enough = judge(asked, counts([4000, 385], [4000, 515]), 3);
  assert.deepEqual([needsOf(asked, enough, 3, 300).converters, needsOf(asked, enough, 3, 300).days], [0, 11]);
});

test('before it begins it says what a site of this size can learn, and nothing where nobody knows', () => {
  const none = judge(asked, new Map(), 0);
  const { converters, days, learns } = needsOf(asked, none, 0, 10);
  assert.deepEqual([converters, days], [null, null]);
  assert.deepEqual(
    learns.map(({ lift }) => lift),
    [0.1, 0.2, 0.3, 0.5, 1],
  );
  assert.equal(learns.at(-1)!.days, 14, 'at least its weeks');
  assert.equal(learns[0]!.days, Math.ceil(learns[0]!.converters! / 10));
  assert.ok(needsOf(asked, none, 0, null).learns.every(({ days: unknown }) => unknown === null));
});

test('of several variants only some of all people are in the two that are compared, and what is needed is of all', () => {
  const of = (shares: number[], controlShare: number): Asked => ({
    ...asked,
    controlShare,
    variants: shares.map((share, i) => ({
      key: 'abcd'[i]!,
      share,
      texts: null,
      templateId: null,
      trigger: null,
    })),
  });
  const learnsOf = (test: Asked) => needsOf(test, judge(test, new Map(), 0), 0, 10).learns;
  for (const [test, m, share, part] of [
    [of([0.5], 0.5), 1, 0.5, 1],
    [of([0.125, 0.125, 0.125, 0.125], 0.5), 4, 0.2, 0.625],
    // of the one that fewest people see
    [of([0.4, 0.1], 0.5), 2, 1 / 6, 0.6],
  ] as const)
    for (const { lift, converters, days } of learnsOf(test)) {
      const pair = Math.max(100, convertersToDecide(lift, share, m)!);
      assert.ok(Math.abs(converters! - pair / part) <= 1, `${converters} for ${pair} of a part of ${part}`);
      assert.equal(days, Math.max(14, Math.ceil(converters! / 10)));
    }

  // 62.5 % of 800 converters are in the pair of the one that differs most
  const four = of([0.125, 0.125, 0.125, 0.125], 0.5);
  const half = judge(four, counts([4000, 400], [1000, 100], [1000, 100], [1000, 125], [1000, 75]), 20);
  const seen = half.comparisons.find(({ variant }) => variant === 'c')!;
  assert.ok(Math.abs(seen.lift! - 0.25) < 1e-9);
  const pair = convertersToDecide(seen.lift!, 0.2, 4)!;
  const { converters, days } = needsOf(four, half, 20, 40);
  assert.ok(Math.abs(converters! - (pair - 525) / 0.625) <= 1, `${converters} after 525 of ${pair}`);
  assert.equal(days, Math.ceil(converters! / 40));
});
