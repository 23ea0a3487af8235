import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAllowed, LIST, licensesInUse, licenseText } from './licenses.ts';

test('docs/licenses.md lists every package of the image with its licence', () => {
  const list = readFileSync(LIST, 'utf8');
  assert.equal(list, licenseText(licensesInUse()), 'it is out of date; run: npm run licenses');
});

test('every package of the image may be passed on', () => {
  const refused = licensesInUse().filter(({ license }) => !isAllowed(license));
  assert.deepEqual(refused, [], 'their licences are not on the list of permissive ones in src/licenses.ts');
});

test('of a choice of licences one permissive one is enough, of several together all must be', () => {
  assert.equal(isAllowed('GPL-3.0 OR MIT'), true);
  assert.equal(isAllowed('MIT AND CC-BY-4.0'), false);
  assert.equal(isAllowed('AGPL-3.0-only'), false);
  assert.equal(isAllowed('UNKNOWN'), false);
});
