import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mergeJournal } from './journal.ts';

const folder = await mkdtemp(join(tmpdir(), 'journal-test-'));
after(() => rm(folder, { recursive: true }));

test('what another machine was told to forget is added once, and nothing is lost', async () => {
  const [from, into] = [join(folder, 'from'), join(folder, 'deep', 'into')];
  assert.equal(await mergeJournal(from, into), 0);
  await writeFile(from, '\n{"a":1}\n{"b":2}');
  assert.equal(await mergeJournal(from, into), 2);
  await writeFile(from, '\n{"b":2}\n{"c":3}');
  assert.equal(await mergeJournal(from, into), 1);
  assert.deepEqual((await readFile(into, 'utf8')).split('\n').filter(Boolean), [
    '{"a":1}',
    '{"b":2}',
    '{"c":3}',
  ]);
});
