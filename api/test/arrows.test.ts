// The arrows of the rooms: what stands below imports nothing above it, and a feature's doors stay at home.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const STOREYS = ['ground', 'product', 'operations', 'roof'];
const imports = globSync('**/*.ts', { cwd: 'src' })
  .filter((path) => !path.endsWith('.test.ts'))
  .sort()
  .flatMap((from) =>
    [
      ...readFileSync(join('src', from), 'utf8').matchAll(
        /(?:\bfrom |\bimport )'(\..+?)'|\bimport\('(\..+?)'\)/g,
      ),
    ].map(([, named, dynamic]) => ({ from, to: join(dirname(from), (named ?? dynamic)!) })),
  );

function storeyOf(path: string): number {
  // the command line opens the house by itself, as main.ts does
  const top =
    path === 'config.ts' ? 'ground' : path.startsWith('operations/cli/') ? 'roof' : path.split('/')[0]!;
  return STOREYS.indexOf(STOREYS.includes(top) ? top : 'roof');
}

test("an arrow points down or sideways, and a room's routes and queries are opened from home and the roof only", () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      storeyOf(to) > storeyOf(from) ||
      (/\/(routes|queries)\.ts$/.test(to) &&
        dirname(from) !== dirname(to) &&
        storeyOf(from) < STOREYS.indexOf('roof')),
  );
  assert.deepEqual([...new Set(wrong.map(({ from, to }) => `${from} → ${to}`))].sort(), []);
});

/** A folder; a file that lies on a storey's own floor is a room by itself. */
const roomOf = (path: string) => (STOREYS.includes(dirname(path)) ? path : dirname(path));

test('no room needs a room that needs it', () => {
  const needs = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [room, other] = [roomOf(from), roomOf(to)];
    // the roof's files are no room
    if (room !== other && room !== '.' && other !== '.')
      needs.set(room, (needs.get(room) ?? new Set()).add(other));
  }
  const reaches = (room: string, wanted: string, seen = new Set<string>()): boolean =>
    [...(needs.get(room) ?? [])].some(
      (next) => next === wanted || (!seen.has(next) && reaches(next, wanted, seen.add(next))),
    );
  const circles = [...needs].flatMap(([room, others]) =>
    [...others].filter((other) => reaches(other, room)).map((other) => `${room} → ${other}`),
  );
  assert.deepEqual(circles, []);
});

test('only the rooms of accounts, keys, shared views, webhooks, streams, integrations and recipients of mail open the transaction that sees secrets of people and programs', () => {
  const opening = imports
    .filter(({ to }) => to === 'product/accounts/in-accounts.ts')
    .map(({ from }) => from);
  assert.ok(opening.length > 5);
  assert.deepEqual(
    opening.filter(
      (from) => !/^product\/(accounts|keys|shares|webhooks|stream|integrations|mail-reports)\//.test(from),
    ),
    [],
  );
  const naming = globSync('**/*.ts', { cwd: 'src' }).filter(
    (path) =>
      !path.endsWith('.test.ts') && readFileSync(join('src', path), 'utf8').includes('marketing.accounts'),
  );
  assert.deepEqual(naming, ['product/accounts/in-accounts.ts']);
});
