// The journal of what was forgotten: several processes write, one trims, no line is lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Forgotten, readForgotten, rememberForgotten, trimForgotten } from './forget-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'forget-journal-'));
after(() => rmSync(folder, { recursive: true }));

const DAY = 86_400_000;
const withdrawal = (leadId: string, ageMs = 0): Forgotten => ({
  kind: 'withdrawal',
  siteId: randomUUID(),
  leadId,
  at: new Date(Date.now() - ageMs).toISOString(),
});

test('while one process trims again and again, the lines of two others all stay', async () => {
  const path = join(folder, 'forgotten.ndjson');
  const LINES = 400;
  const script = `
    const { rememberForgotten } = await import(${JSON.stringify(new URL('forget-journal.ts', import.meta.url).href)});
    const [, path, name] = process.argv;
    for (let i = 0; i < ${LINES}; i += 1)
      await rememberForgotten(path, { kind: 'withdrawal', siteId: 'one', leadId: name + i, at: new Date().toISOString() });`;
  const writers = ['a', 'b'].map(
    (name) =>
      new Promise<number | null>((done) =>
        spawn(process.execPath, ['--input-type=module', '-e', script, path, name], { stdio: 'inherit' }).on(
          'exit',
          done,
        ),
      ),
  );
  let isWriting = true;
  const written = Promise.all(writers).finally(() => {
    isWriting = false;
  });
  let trimmed = 0;
  while (isWriting) {
    await rememberForgotten(path, withdrawal('long ago', 500 * DAY));
    trimmed += await trimForgotten(path);
  }
  assert.deepEqual(await written, [0, 0]);
  assert.ok(trimmed > 20, `${trimmed} trims met the writers`);
  const names = new Set((await readForgotten(path)).map(({ leadId }) => leadId));
  const expected = ['a', 'b'].flatMap((name) => Array.from({ length: LINES }, (_, i) => name + i));
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
  assert.deepEqual(
    (await readForgotten(path)).map(({ leadId }) => leadId),
    ['kept'],
  );
  await trimForgotten(path);
  assert.deepEqual(
    (await readForgotten(path)).map(({ leadId }) => leadId),
    ['kept'],
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('torn')),
    ['torn.ndjson'],
  );
});
