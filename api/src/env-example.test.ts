import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXAMPLE, exampleText, MARK } from './env-example.ts';

test('.env.example has every setting with its meaning and its default', () => {
  const example = readFileSync(EXAMPLE, 'utf8');
  assert.ok(example.includes(MARK));
  assert.equal(example, exampleText(example), 'it is out of date; run: npm run env:example');
});
