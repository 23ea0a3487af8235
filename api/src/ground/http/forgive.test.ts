// Forgiving comes to an end, whatever is wrong: each round leaves something out, or tells the fault.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { forgive } from './forgive.ts';

const schema = z.object({
  email: z.string(),
  words: z.object({ text: z.string(), by: z.object({ name: z.string() }) }).optional(),
  list: z.array(z.object({ id: z.string() })).optional(),
});
const isFault = (name: string) => name === 'email';
const forgiven = (fields: Record<string, unknown>) => forgive(schema, fields, isFault);

test('what is missing inside a group costs what holds it, and is told by that name', () => {
  const { value, warnings } = forgiven({
    email: 'a',
    words: { text: 'yes', by: {} },
    list: [{ id: 'b' }, {}],
  });
  assert.deepEqual(value, { email: 'a', list: [{ id: 'b' }] });
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['words.by', 'list.1', 'words'],
  );
});

test('several things missing in one group cost it once', () => {
  const { value, warnings } = forgiven({ email: 'a', words: {} });
  assert.deepEqual([value, warnings.map(({ path }) => path)], [{ email: 'a' }, ['words']]);
});

test('a fault of the whole is told, when nothing is left to leave out', () => {
  assert.throws(() => forgiven({ words: {} }), { code: 'invalid_request' });
});

test('a number that comes as a text and is too large is left out, not cut; a text that is too long is cut', () => {
  const numbers = z.object({
    stars: z.coerce.number().int().max(5).optional(),
    name: z.string().trim().max(3).optional(),
  });
  for (const stars of ['6', '99999', '99999999999999999999999999', '1e400']) {
    const { value, warnings } = forgive(numbers, { stars, name: ' abcd ' }, () => false);
    assert.deepEqual(value, { name: 'abc' }, stars);
    assert.deepEqual(new Set(warnings.map(({ path }) => path)), new Set(['stars', 'name']));
  }
});

test('a text that stays too long however it is cut is left out', () => {
  const shouted = z.object({
    // what is checked is longer than what is sent
    word: z
      .string()
      .transform((word) => `${word}!!`)
      .pipe(z.string().max(3))
      .optional(),
  });
  const { value, warnings } = forgive(shouted, { word: 'abcd' }, () => false);
  assert.deepEqual([value, warnings.length], [{}, 2]);
});
