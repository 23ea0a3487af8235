// What is said to be taken as it is must be what the schema makes of it, for whatever may come.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { visits } from '../../../bench/load.ts';
import { eventInput } from '../../product/events/schema.ts';
import { asItIs } from './as-it-is.ts';

const isTaken = asItIs(eventInput);
const EVENT = {
  eventId: '0199a3f0-1111-7222-8333-944444444444',
  anonId: 'a browser of Ada',
  eventType: 'page_view',
  path: '/menu',
  timestamp: 1_790_000_000_000,
  sentAt: 1_790_000_000_500,
  referrer: 'https://bakery.example/',
  utm: { source: 'news', campaign: 'spring' },
  propertyId: 'default',
  traffic: {
    deviceType: 'desktop',
    countryCode: 'CA',
    isConversion: false,
    engagedTimeMs: 0,
    webVitals: { clsScore: 0.1 },
  },
  props: { plan: 'pro', nested: { list: [1, null, 'x'] } },
  honeypot: '',
};
// what may stand in any place of it
const ODD = [
  null,
  '',
  ' ',
  'x',
  ' padded ',
  'ca',
  'desktop',
  '2026-02-28T10:00:00Z',
  '1790000000',
  'y'.repeat(3000),
  0,
  -1,
  0.5,
  1e300,
  Number.NaN,
  true,
  [],
  {},
  { unknown: 1 },
  { text: 'z'.repeat(9000) },
  [{}],
];

type Fields = Record<string, unknown>;
function* changed(fields: Fields): Generator<Fields> {
  for (const name of [...Object.keys(fields), 'unknown']) {
    const { [name]: part, ...rest } = fields;
    yield rest;
    for (const value of ODD) yield { ...fields, [name]: value };
    if (typeof part === 'object' && part !== null && !Array.isArray(part))
      for (const other of changed(part as Fields)) yield { ...fields, [name]: other };
  }
}

test('an event that is said to be right as it is comes out of its schema as it went in, whatever was changed of it', () => {
  let taken = 0;
  for (const event of changed(EVENT)) {
    if (!isTaken(event)) continue;
    taken += 1;
    assert.deepEqual(eventInput.parse(event), event);
  }
  assert.ok(taken > 50, 'else nothing was compared');
  for (const odd of [...ODD, undefined]) assert.equal(isTaken(odd), false);
});

test('the events that browsers send are taken as they are', () => {
  const events = visits();
  for (let n = 0; n < 50; n += 1) assert.ok(isTaken(events.next().value));
  assert.ok(isTaken(EVENT));
});

test('what a schema would change, leave out or refuse is not taken as it is', () => {
  const cases: [z.ZodType, unknown, boolean][] = [
    [z.string().trim().max(3), 'abc', true],
    [z.string().trim().max(3), 'abc ', false],
    [z.string().max(3), 'abcd', false],
    [z.guid(), '0199a3f0-1111-7222-8333-944444444444', true],
    [z.guid(), 'no id', false],
    [z.string().toUpperCase(), 'ab', false],
    [z.int(), 1.5, false],
    [z.coerce.number(), '1', false],
    [z.string().default('a'), undefined, false],
    [z.string().nullable(), null, true],
    [z.union([z.string().trim(), z.string().max(2)]), ' a', false],
    [z.union([z.number(), z.string()]), 'a', true],
    [z.object({ a: z.string() }), {}, false],
    [z.object({ a: z.string() }), { a: 'x', b: 1 }, false],
    [z.object({ a: z.string().optional() }), {}, true],
    [z.object({ a: z.string() }).refine(({ a }) => a !== 'x'), { a: 'x' }, false],
    [z.record(z.string(), z.unknown()), { any: [1] }, true],
    [z.record(z.string().max(1), z.unknown()), { any: 1 }, false],
    [z.record(z.string(), z.number()), { any: 'x' }, false],
  ];
  for (const [schema, value, expected] of cases)
    assert.equal(asItIs(schema)(value), expected, JSON.stringify(value));
});
