// Which window a window is compared with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysIn } from '../../../ground/lib/days.ts';
import { comparedWith, versus } from './compare.ts';

const week = { from: '2026-05-04', to: '2026-05-10' };
const month = { from: '2026-05-01', to: '2026-05-30' };
const weekday = (day: string) => new Date(`${day}T00:00:00Z`).getUTCDay();

test('previous is as long, and directly before', () => {
  assert.deepEqual(comparedWith(month, 'previous', 'date'), { from: '2026-04-01', to: '2026-04-30' });
});

test('by weekday, every day stands beside the same day of a week that is wholly before', () => {
  for (const window of [week, month])
    for (const vs of ['previous', 'year']) {
      const before = comparedWith(window, vs, 'weekday')!;
      assert.equal(weekday(before.from), weekday(window.from));
      assert.equal(daysIn(before.from, before.to), daysIn(window.from, window.to));
      assert.ok(before.to < window.from);
    }
});

test('a year before has the same dates, and 28 February for a leap day', () => {
  assert.deepEqual(comparedWith({ from: '2028-02-29', to: '2028-03-01' }, 'year', 'date'), {
    from: '2027-02-28',
    to: '2027-03-01',
  });
});

test('a window named by its days is taken as it is, unless it reaches into what is compared with it', () => {
  assert.deepEqual(comparedWith(week, '2026-01-01..2026-01-31', 'date'), {
    from: '2026-01-01',
    to: '2026-01-31',
  });
  assert.equal(comparedWith(week, '2026-05-01..2026-05-04', 'date'), null);
  assert.equal(comparedWith(week, 'none', 'date'), null);
});

test('anything else is refused before a question is asked', () => {
  for (const odd of [
    'last',
    '2026-02-30..2026-03-01',
    '2026-03-02..2026-03-01',
    '2020-01-01..2026-01-01',
    '',
  ])
    assert.equal(versus.safeParse(odd).success, false, odd);
});
