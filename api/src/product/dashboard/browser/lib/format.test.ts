// Numbers as people read them, and round steps beside a chart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatOf, wilson } from './format.ts';
import { namedPlaces, ticksOf } from './ticks.ts';

test('numbers are written as in the reader’s language, and days stay the site’s', () => {
  const en = formatOf('en-CA');
  const fr = formatOf('fr-CA');
  assert.equal(en.count(12_345), '12,345');
  assert.match(fr.count(12_345), /^12\s345$/u);
  assert.equal(en.share(0.1234), '12.3%');
  assert.equal(en.duration(95), '1 min 35 s');
  assert.match(en.day('2026-03-01'), /Mar/);
  assert.match(fr.day('2026-03-01'), /mars/);
  assert.equal(en.bytes(1_500_000), '1.5 MB');
  assert.equal(en.country('FR'), 'France');
  assert.equal(en.country('unknown'), 'unknown');
});

test('an interval holds the share, lies within 0 and 1, and narrows as more is counted', () => {
  let before = 1;
  for (const all of [1, 5, 20, 100, 1000]) {
    const [low, high] = wilson(all / 5, all);
    assert.ok(low >= 0 && low <= 0.2 && high >= 0.2 && high <= 1);
    assert.ok(high - low < before);
    before = high - low;
  }
  assert.equal(wilson(0, 10)[0], 0);
  assert.equal(wilson(10, 10)[1], 1);
});

test('steps are round, begin at nothing and reach over the largest', () => {
  for (const most of [1, 2, 3, 7, 9, 10, 11, 99, 101, 2345, 0.37, 1e6]) {
    const ticks = ticksOf(most, most >= 1);
    assert.equal(ticks[0], 0);
    assert.ok(ticks.at(-1)! >= most && ticks.length >= 2 && ticks.length <= 5, `${most}: ${ticks}`);
  }
  assert.deepEqual(ticksOf(0, true), [0, 1]);
  assert.deepEqual(namedPlaces(30, 6), [0, 5, 10, 15, 20, 25]);
});
