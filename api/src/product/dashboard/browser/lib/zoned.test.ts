// A day and an hour that somebody typed are those of the site's zone, also when clocks change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockOf, momentOf } from './zoned.ts';

test('what a clock of the zone shows is the moment it was read from, through a whole year of its changes', () => {
  for (const zone of ['UTC', 'America/Toronto', 'Asia/Kolkata', 'Pacific/Auckland', 'America/St_Johns'])
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 5 * 3_600_000) {
      const clock = clockOf(at, zone);
      assert.equal(clockOf(momentOf(clock, zone), zone), clock, `${zone} ${clock}`);
    }
});

test('an hour is of its own side of a change of clocks', () => {
  const at = (clock: string) => new Date(momentOf(clock, 'America/Toronto')).toISOString();
  assert.equal(at('2026-03-08T01:30'), '2026-03-08T06:30:00.000Z');
  assert.equal(at('2026-03-08T03:30'), '2026-03-08T07:30:00.000Z');
  assert.equal(at('2026-07-01T09:00'), '2026-07-01T13:00:00.000Z');
  assert.equal(at('2026-11-01T03:00'), '2026-11-01T08:00:00.000Z');
});
