// Several processes on one DATA_DIR: each keeps what it was told in a folder of its own, and nothing is left behind.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeLog } from '../../ground/lib/log.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';
import type { Entry } from './journal.ts';
import { openJournals, retryAll } from './journals.ts';
import { journalReading } from './readings.ts';

const log = makeLog('silent');
let scratch: string;
before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'marketing-journals-'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Gathers what is played. */
function player() {
  const played: unknown[] = [];
  return { played, play: async ({ body }: Entry) => void played.push(body) };
}
const refusedByTheDatabase = () => Promise.reject(Object.assign(new Error('refused'), { code: '22001' }));

test('two processes on one folder have a journal each, and neither plays what the other holds', async () => {
  const base = join(scratch, 'two', 'journal');
  const one = await openJournals(base, log);
  const other = await openJournals(base, log);
  assert.deepEqual([one.folder, other.folder], [base, `${base}-2`]);
  await other.append({ kind: 'capture', body: 'of the other' });
  const { played, play } = player();
  assert.equal(await one.adopt(play), 0);
  assert.equal(await other.replay(play), 1);
  assert.deepEqual(played, ['of the other']);
  await one.close();
  await other.close();
});

test('what a process left that has ended is played by one that has not, once', async () => {
  const base = join(scratch, 'left', 'journal');
  const one = await openJournals(base, log);
  const gone = await openJournals(base, log);
  await gone.append({ kind: 'capture', body: 'left' });
  await gone.close();
  const { played, play } = player();
  assert.equal(await one.adopt(play), 1);
  assert.equal(await one.adopt(play), 0);
  assert.deepEqual(played, ['left']);
  const next = await openJournals(base, log);
  assert.equal(next.folder, `${base}-2`, 'a folder that nobody holds is taken again');
  await next.close();
  await one.close();
});

test('what could not be stored is counted, tried again and forgotten in the folders of all', async () => {
  const base = join(scratch, 'aside', 'journal');
  const one = await openJournals(base, log);
  const other = await openJournals(base, log);
  for (const [journal, body] of [
    [one, 'mine'],
    [other, 'theirs'],
    [other, 'somebody’s'],
  ] as const)
    await journal.append({ kind: 'capture', body });
  for (const journal of [one, other]) await journal.replay(refusedByTheDatabase);
  assert.equal((await one.setAside()).count, 3);
  assert.equal(await one.forgetFailed(({ body }) => body === 'theirs'), 1);
  assert.equal((await other.setAside()).count, 2);
  assert.equal(await retryAll(base), 2);
  assert.equal((await one.setAside()).count, 0);
  const { played, play } = player();
  for (const journal of [one, other]) await journal.replay(play);
  assert.deepEqual(played.sort(), ['mine', 'somebody’s']);
  await one.close();
  await other.close();
});

test('an entry that fails for ever rings although nothing is set aside, whichever process holds it, while the database answers', async () => {
  const base = join(scratch, 'ever', 'journal');
  let ago = 20 * 60_000;
  const clock = () => Date.now() - ago;
  const one = await openJournals(base, log, clock);
  const other = await openJournals(base, log, clock);
  // 42883: a function is missing, which is nobody's entry's fault
  const play = () => Promise.reject(Object.assign(new Error('undefined'), { code: '42883' }));
  const told = async (ok = true) => ({
    journal: journalReading.shape.parse(await journalReading.read({ leads: { journal: one } })),
    database: { ok },
  });
  const rings = async (ok?: boolean) =>
    alarmsIn(await told(ok), [journalReading]).map(({ id, severity }) => `${id} ${severity}`);
  assert.deepEqual(await rings(), []);

  await other.append({ kind: 'capture', body: 'odd' });
  await other.replay(play);
  ago = 60_000;
  await one.append({ kind: 'capture', body: 'young' });
  await one.replay(play);
  assert.deepEqual(await rings(), ['journal_waiting critical']);
  assert.deepEqual(await rings(false), [], 'with the database away all of it waits, and that has its alarm');
  const { journal } = await told();
  assert.equal(journal.failed, 0);
  assert.match(journalReading.line!(journal)!, /^entries wait since 2\d{3}-/);

  await other.replay(async () => {});
  assert.deepEqual(await rings(), [], 'what waits is a minute old');
  await one.close();
  await other.close();
});
