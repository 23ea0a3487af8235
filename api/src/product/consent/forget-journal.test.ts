// The journal of what was forgotten: several processes write, one trims, no line is lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runConfined } from '../../../test/container.ts';
import { type Forgotten, readForgotten, rememberForgotten, trimForgotten } from './forget-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'forget-journal-'));
after(() => rmSync(folder, { recursive: true }));

async function read(path: string): Promise<Forgotten[]> {
  const all: Forgotten[] = [];
  for await (const entry of readForgotten(path)) all.push(entry);
  return all;
}
const DAY = 86_400_000;
const withdrawal = (leadId: string, ageMs = 0): Forgotten => ({
  kind: 'withdrawal',
  siteId: randomUUID(),
  leadId,
  at: new Date(Date.now() - ageMs).toISOString(),
});

const leadOf = (entry: Forgotten) => ('leadId' in entry ? entry.leadId : null);

test('while one process trims again and again, the lines of two others all stay', async () => {
  const path = join(folder, 'forgotten.ndjson');
  const LINES = 400;
  // It writes until its standard input ends, at least so many lines, and then says how many; its first line is the sign
  // that it has begun.
  const script = `
    const { rememberForgotten } = await import(${JSON.stringify(new URL('forget-journal.ts', import.meta.url).href)});
    const [, path, name] = process.argv;
    let isWanted = true;
    process.stdin.on('end', () => { isWanted = false; }).resume();
    let i = 0;
    for (; isWanted || i < ${LINES}; i += 1)
      await rememberForgotten(path, { kind: 'withdrawal', siteId: 'one', leadId: name + i, at: new Date().toISOString() });
    process.stdout.write(String(i));`;
  const writers = ['a', 'b'].map((name) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const written = new Promise<{ name: string; code: number | null; lines: number }>((done) =>
      child.on('close', (code) => done({ name, code, lines: Number(said) })),
    );
    child.stdin.on('error', () => {}); // it has ended already
    return { name, written, stop: () => child.stdin.end() };
  });
  const stopAll = () => {
    for (const { stop } of writers) stop();
  };
  for (const { written } of writers) void written.then(stopAll);
  const all = Promise.all(writers.map(({ written }) => written));
  let hasEnded = false;
  void all.then(() => {
    hasEnded = true;
  });
  let trimmed = 0;
  let haveBegun = false;
  while (!hasEnded) {
    await rememberForgotten(path, withdrawal('long ago', 500 * DAY));
    const trims = await trimForgotten(path);
    // what counts is a trim while both write: after the first line of each, and before they are told to stop
    if (haveBegun) trimmed += trims;
    else {
      const seen = new Set((await read(path)).map(leadOf));
      haveBegun = writers.every(({ name }) => seen.has(`${name}0`));
    }
    if (trimmed > 20) stopAll();
  }
  const written = await all;
  assert.deepEqual(
    written.map(({ code }) => code),
    [0, 0],
  );
  assert.ok(trimmed > 20, `${trimmed} trims met the writers`);
  const names = new Set((await read(path)).map(leadOf));
  const expected = written.flatMap(({ name, lines }) => Array.from({ length: lines }, (_, i) => name + i));
  assert.ok(expected.length >= 2 * LINES);
  assert.deepEqual(
    expected.filter((name) => !names.has(name)),
    [],
  );
  assert.ok(!names.has('long ago'));
});

test('a trim that ended half way loses nothing, and the next one finishes it', async () => {
  const path = join(folder, 'torn.ndjson');
  await rememberForgotten(path, withdrawal('kept'));
  linkSync(path, `${path}.before`);
  rmSync(path);
  writeFileSync(path, ''); // the new file is in place, the late lines are not in it yet
  assert.deepEqual((await read(path)).map(leadOf), ['kept']);
  await trimForgotten(path);
  assert.deepEqual((await read(path)).map(leadOf), ['kept']);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('torn')),
    ['torn.ndjson'],
  );
});

test('a journal that is longer than the heap is trimmed, read and merged all the same', async () => {
  const [path, other] = [join(folder, 'long.ndjson'), join(folder, 'other.ndjson')];
  const LINES = 400_000;
  const lines = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => `\n${JSON.stringify(withdrawal(`lead ${from + n}`))}`).join('');
  writeFileSync(path, `\n${JSON.stringify(withdrawal('long ago', 500 * DAY))}`);
  for (let from = 0; from < LINES; from += 50_000) appendFileSync(path, lines(50_000, from));
  writeFileSync(other, lines(3, LINES));
  copyFileSync(path, `${path}.copy`);
  appendFileSync(`${path}.copy`, readFileSync(other));
  const script = `
    const [, path, other] = process.argv;
    const journal = await import(${JSON.stringify(new URL('forget-journal.ts', import.meta.url).href)});
    const { mergeJournal } = await import(${JSON.stringify(new URL('../../operations/backups/journal.ts', import.meta.url).href)});
    const trimmed = await journal.trimForgotten(path);
    const merged = await mergeJournal(path + '.copy', path);
    const again = await mergeJournal(other, path);
    let read = 0;
    for await (const _ of journal.readForgotten(path)) read += 1;
    console.log(JSON.stringify({ trimmed, merged, again, read }));`;
  assert.deepEqual(JSON.parse(await runConfined(script, [path, other])), {
    trimmed: 1,
    merged: 4, // and what was trimmed, which the other machine still has
    again: 0,
    read: LINES + 4,
  });
});
