// The arrows of the rooms: what stands below imports nothing above it, and a feature's doors stay at home.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const STOREYS = ['ground', 'product', 'operations', 'roof'];
/** Imports that point the wrong way today, and rooms on a circle. These lists may only shrink. */
const EXCEPTIONS = [
  'ground/retention/purge.ts → product/metrics/rollup.ts',
  'operations/audit/audit.ts → product/sites/queries.ts',
  'product/bots/routes.ts → operations/audit/audit.ts',
  'product/bots/routes.ts → product/metrics/routes.ts',
  'product/breaches/routes.ts → operations/audit/audit.ts',
  'product/captures/capture.ts → product/sites/queries.ts',
  'product/captures/quarantine-routes.ts → operations/audit/audit.ts',
  'product/captures/queries.ts → product/events/queries.ts',
  'product/captures/routes.ts → product/events/routes.ts',
  'product/captures/routes.ts → product/sites/queries.ts',
  'product/captures/start.ts → product/consent/queries.ts',
  'product/captures/start.ts → product/sites/queries.ts',
  'product/consent/routes.ts → operations/audit/audit.ts',
  'product/consent/routes.ts → product/sites/queries.ts',
  'product/conversions/routes.ts → operations/audit/audit.ts',
  'product/conversions/routes.ts → product/metrics/routes.ts',
  'product/erasure/forget.ts → product/captures/queries.ts',
  'product/erasure/routes.ts → operations/audit/audit.ts',
  'product/events/routes.ts → product/sites/queries.ts',
  'product/identities/routes.ts → operations/audit/audit.ts',
  'product/leads/purge.ts → operations/audit/audit.ts',
  'product/leads/routes.ts → operations/audit/audit.ts',
  'product/leads/routes.ts → product/consent/queries.ts',
  'product/leads/routes.ts → product/sites/queries.ts',
  'product/mails/mail.ts → product/sites/queries.ts',
  'product/metrics/attribution.ts → product/sites/queries.ts',
  'product/metrics/reports.ts → product/sites/queries.ts',
  'product/metrics/routes.ts → product/sites/queries.ts',
  'product/metrics/summary.ts → product/sites/queries.ts',
  'product/sites/routes.ts → operations/audit/audit.ts',
];
const CIRCLES = [
  'operations/audit → product/sites',
  'product/captures → product/erasure',
  'product/erasure → product/captures',
  'product/erasure → product/leads',
  'product/leads → product/captures',
  'product/leads → product/erasure',
  'product/sites → operations/audit',
];

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
  const top = path === 'config.ts' ? 'ground' : path.split('/')[0]!;
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
  assert.deepEqual([...new Set(wrong.map(({ from, to }) => `${from} → ${to}`))].sort(), EXCEPTIONS);
});

test('no room needs a room that needs it', () => {
  const needs = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [room, other] = [dirname(from), dirname(to)];
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
  assert.deepEqual(circles.sort(), CIRCLES);
});
