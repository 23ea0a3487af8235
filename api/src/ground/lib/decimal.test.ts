// Money is decimal: what is added up, divided or split is exact to its last place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalText, divided, numberOf, splitUnits, unitsOf } from './decimal.ts';

test('amounts are read and printed as they were written', () => {
  for (const [text, told] of [
    ['0', 0],
    ['0.1', 0.1],
    ['12.50', 12.5],
    ['458.05', 458.05],
    ['-3.0001', -3.0001],
    ['99999999999.9999', 99999999999.9999],
  ] as const) {
    assert.equal(numberOf(unitsOf(text)), told, text);
    assert.equal(unitsOf(decimalText(unitsOf(text))), unitsOf(text), text);
  }
  for (const text of ['', '1.23456', '1e3', 'NaN', '1,5']) assert.throws(() => unitsOf(text), text);
});

test('a sum of tenths has no rest, as floating point would have', () => {
  const tenths = Array.from({ length: 3 }, () => unitsOf('0.1'));
  assert.equal(numberOf(tenths.reduce((sum, units) => sum + units)), 0.3);
});

test('quotients are rounded to four places, and parts sum to the whole', () => {
  assert.equal(divided(unitsOf('100'), 0), null);
  assert.equal(numberOf(divided(unitsOf('100'), 3)!), 33.3333);
  assert.equal(numberOf(divided(unitsOf('2'), 3)!), 0.6667);
  for (const amount of ['0', '0.0001', '10', '12345678901.2345']) {
    const parts = splitUnits(unitsOf(amount), [333333, 333333, 333334], 1_000_000);
    assert.equal(
      parts.reduce((sum, part) => sum + part),
      unitsOf(amount),
      amount,
    );
  }
});
