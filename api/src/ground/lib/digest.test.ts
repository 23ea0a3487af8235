// A file is known by every byte of it, however long it is.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runConfined } from '../../../test/container.ts';
import { digestFile } from './digest.ts';

const folder = mkdtempSync(join(tmpdir(), 'marketing-digest-'));
after(() => rmSync(folder, { recursive: true }));

test('a digest is that of all bytes, also where they end between two pieces', async () => {
  for (const length of [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 700_001]) {
    const content = randomBytes(length);
    const path = join(folder, `of ${length}`);
    writeFileSync(path, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    assert.deepEqual(await digestFile(path), { bytes: length, sha256 });
  }
  await assert.rejects(digestFile(join(folder, 'none')), /ENOENT/);
});

test('a dump of any size is read in the same memory', async () => {
  const path = join(folder, 'long');
  writeFileSync(path, '');
  truncateSync(path, 400_000_000);
  const grown = await runConfined(
    `import { digestFile } from './src/ground/lib/digest.ts';
     const [path] = process.argv.slice(1);
     await digestFile('package.json');
     const before = process.resourceUsage().maxRSS;
     await digestFile(path);
     console.log(process.resourceUsage().maxRSS - before);`,
    [path],
  );
  assert.ok(Number(grown) < 16_000, `${grown} KB more`);
});
