// What counts prove, and how often they are wrong; the long simulations are `npm run bench:ab`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armOf, CONTROL, partOf, splitOf } from './arm.ts';
import { compare, convertersToDecide, evidenceOf, isDecided, mismatchOf, pOf } from './evidence.ts';
import { chances, evenness, simulate, simulateMismatch, simulateSeveral } from './simulate.model.ts';

const even = (variant: number, control: number) => ({ variant, control, share: 0.5 });
const percent = (part: number | null) => (part === null ? null : Math.round(part * 1000) / 10);

test('495 converters against 405 leave it undecided', () => {
  const { lift, low, high, evidence, p } = compare(even(495, 405));
  assert.equal(evidence.toFixed(1), '18.3');
  assert.deepEqual([lift, low, high].map(percent), [22.2, -0.2, 49.9]);
  assert.ok(p > 0.05 && p < 0.06);
  assert.equal(isDecided(even(495, 405)), false);
});

test('515 converters against 385 decide it', () => {
  const { lift, low, high, evidence } = compare(even(515, 385));
  assert.equal(Math.round(evidence), 1524);
  assert.deepEqual([lift, low, high].map(percent), [33.8, 8, 66.1]);
  assert.equal(isDecided(even(515, 385)), true);
});

test('nothing seen says nothing, and an arm without converters has no upper or lower end', () => {
  assert.deepEqual(compare(even(0, 0)), { lift: null, low: -1, high: null, evidence: 1, p: 1 });
  assert.equal(compare(even(0, 30)).low, -1);
  assert.equal(compare(even(0, 30)).lift, -1);
  const { lift, high, low } = compare(even(30, 0));
  assert.deepEqual([lift, high], [null, null]);
  assert.ok(low > -1);
});

test('a test is decided exactly when its interval holds no zero and its p is at most 0.05', () => {
  for (let variant = 200; variant <= 300; variant += 5)
    for (const [share, m] of [
      [0.5, 1],
      [0.5, 3],
      [0.6, 1],
    ] as const) {
      const pair = { variant, control: 220, share };
      const { low, high } = compare(pair, m);
      assert.equal(low > 0 || (high ?? 1) < 0, isDecided(pair, m), JSON.stringify(pair));
      assert.equal(pOf(pair, m) <= 0.05, isDecided(pair, m));
    }
});

test('more variants against one control ask for more evidence', () => {
  assert.ok(isDecided(even(515, 385), 4));
  assert.equal(pOf(even(300, 230), 2), Math.min(1, 2 * pOf(even(300, 230))));
  assert.ok(compare(even(515, 385), 4).low < compare(even(515, 385)).low);
});

test('the evidence is the same when it is multiplied up conversion by conversion, in whatever order', () => {
  const next = chances(7);
  for (let run = 0; run < 50; run += 1) {
    const share = 0.1 + 0.8 * next();
    let [variant, control, product] = [0, 0, 1];
    for (let n = 0; n < 400; n += 1) {
      const isVariant = next() < share;
      const [prior, seen] = isVariant ? [share, variant] : [1 - share, control];
      product *= (100 * prior + seen) / (100 + n) / prior;
      if (isVariant) variant += 1;
      else control += 1;
    }
    const whole = evidenceOf({ variant, control, share });
    assert.ok(Math.abs(whole / product - 1) < 1e-9, `${whole} ${product}`);
  }
});

test('tests without an effect, looked at after every conversion, are decided in at most 5 of 100', () => {
  for (const [share, seed] of [
    [0.5, 11],
    [0.8, 12],
    [0.9, 13],
  ] as const) {
    const { decided } = simulate({ runs: 1000, conversions: 2000, share, lift: 0, seed });
    assert.ok(decided <= 0.05, `share ${share}: ${decided}`);
  }
});

test('nor is any of several variants, all against one control', () => {
  for (const shares of [
    [0.25, 0.25],
    [0.2, 0.2, 0.2, 0.2],
    [0.5, 0.2, 0.1, 0.1],
  ]) {
    const wrong = simulateSeveral({ runs: 1000, conversions: 2000, shares, seed: 14 });
    assert.ok(wrong > 0 && wrong <= 0.05, `${shares}: ${wrong}`);
  }
});

test('a true lift is in the interval all the way in at least 95 of 100, and +30 % is found by 550 converters', () => {
  const { missed, median } = simulate({ runs: 500, conversions: 2000, share: 0.5, lift: 0.3, seed: 21 });
  assert.ok(missed <= 0.05, String(missed));
  assert.ok(median !== null && median <= 550, String(median));
});

test('what a lift needs is more for a smaller lift, for a rarer control and for more variants', () => {
  const [ten, thirty, hundred] = [0.1, 0.3, 1].map((lift) => convertersToDecide(lift, 0.5)!);
  assert.ok(hundred! < thirty! && thirty! < ten!);
  assert.ok(convertersToDecide(0.3, 0.9)! > thirty!);
  assert.ok(convertersToDecide(0.3, 0.5, 4)! > thirty!);
  assert.equal(convertersToDecide(0, 0.5), null);
});

test('visitors who come 60 to 40 where they were asked for 50 to 50 are flagged by 1500 of them', () => {
  assert.equal(mismatchOf([0, 0], [0.5, 0.5]).flagged, false);
  assert.ok(simulateMismatch({ runs: 200, visitors: 1500, share: 0.5, really: 0.6, seed: 31 }) >= 0.95);
  assert.ok(simulateMismatch({ runs: 200, visitors: 1500, share: 0.5, really: 0.5, seed: 32 }) <= 0.01);
});

test('arms are even, stay what they are, and of two tests are independent', () => {
  const { parts, together } = evenness(50_000, 41);
  assert.ok(parts < 1.08, `parts ${parts}`); // 9999 degrees of freedom: 1 ± 0.014
  assert.ok(together < 5.4, `together ${together}`); // 3 degrees of freedom, one in a thousand
  const split = splitOf(0.5, [
    { key: 'a', share: 0.25 },
    { key: 'b', share: 0.25 },
  ]);
  assert.deepEqual(split, [
    [CONTROL, 5000],
    ['a', 7500],
    ['b', 10_000],
  ]);
  assert.equal(armOf('t', 'someone', split), armOf('t', 'someone', split));
});

test('the part of a browser is the one that any other implementation computes', () => {
  assert.equal(partOf('11111111-1111-4111-8111-111111111111', 'ada-of-the-bakery'), PART_OF_ADA);
});

/** By hand, with another implementation of the two functions. */
const PART_OF_ADA = bigPart('11111111-1111-4111-8111-111111111111:ada-of-the-bakery');

function bigPart(text: string): number {
  const low = (value: bigint) => value & 0xffffffffn;
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = low((hash ^ BigInt(byte)) * 0x01000193n);
  hash = low((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = low((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(low(hash ^ (hash >> 16n)) % 10_000n);
}
