import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stampOf } from './manifest.ts';
import { type BackupSet, chooseKept } from './rotate.ts';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-18T02:15:00Z');

function set(daysOld: number, check: boolean | null = null): BackupSet {
  const at = new Date(NOW.getTime() - daysOld * DAY_MS);
  return {
    stamp: stampOf(at),
    at,
    plain: true,
    encrypted: false,
    check: check === null ? null : { ok: check, at: at.toISOString(), ms: 1, problems: [] },
  };
}
const agesKept = (sets: BackupSet[], keptDays = 35) => {
  const kept = new Set(chooseKept(sets, NOW, keptDays));
  return sets
    .filter(({ stamp }) => kept.has(stamp))
    .map(({ at }) => Math.round((NOW.getTime() - at.getTime()) / DAY_MS));
};

test('of nightly backups the last seven days stay, and one of each of the last four weeks', () => {
  const nightly = Array.from({ length: 60 }, (_, days) => set(days, true));
  // 18 March 2026 is a Wednesday: the newest of the weeks before are Sundays, 3, 10 and 17 days ago
  assert.deepEqual(agesKept(nightly), [0, 1, 2, 3, 4, 5, 6, 10, 17]);
});

test('of several backups of one day the newest stays', () => {
  const sets = [set(1), set(1.02), set(1.04), set(0)];
  assert.deepEqual(chooseKept(sets, NOW, 35), [stampOf(set(1).at), stampOf(NOW)].sort());
});

test('nothing older than the limit stays, but the last three proven backups do however old they are', () => {
  const old = [set(40, true), set(50, true), set(60, true), set(70, true), set(80, false)];
  assert.deepEqual(agesKept([set(1, false), ...old]), [1, 40, 50, 60]);
});

test('the only backup is never removed, proven or not', () => {
  assert.deepEqual(agesKept([set(300, null)]), [300]);
});

test('a shorter limit cuts the weekly ones', () => {
  const nightly = Array.from({ length: 60 }, (_, days) => set(days, true));
  assert.deepEqual(agesKept(nightly, 7), [0, 1, 2, 3, 4, 5, 6]);
});
