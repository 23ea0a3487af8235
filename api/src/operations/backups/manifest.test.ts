import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeSet } from '../../../test/backup-set.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { checkFile, type Manifest, manifestOf, readManifest } from './manifest.ts';
import { refuseUnsigned } from './signature.ts';
import { BackupError } from './tools.ts';

const folder = await mkdtemp(join(tmpdir(), 'manifest-test-'));
after(() => rm(folder, { recursive: true }));

const makeBackup = (at = '2026-03-18T02:15:00.000Z'): Promise<string> =>
  makeSet(folder, new Date(at), { bytes: 5000 });
const check = async (path: string): Promise<Manifest> => {
  const manifest = await readManifest(path);
  if (manifest.signature) refuseUnsigned(manifest, PEPPER, false);
  await checkFile(path, manifest.file);
  return manifest;
};
const refusedAs =
  (...reasons: string[]) =>
  (error: unknown) =>
    error instanceof BackupError && reasons.includes(error.reason);

test('an untouched backup passes', async () => {
  assert.equal((await check(await makeBackup())).version, '1.0.0');
});

test('any flipped bit of the backup or of its manifest is found', async () => {
  for (let round = 0; round < 60; round++) {
    const path = await makeBackup();
    const victim = round % 2 ? path : manifestOf(path);
    const bytes = await readFile(victim);
    const at = Math.floor((round / 60) * bytes.length);
    bytes[at]! ^= 1 << (round % 8);
    await writeFile(victim, bytes);
    await assert.rejects(
      check(path),
      refusedAs('corrupt', 'foreign', 'newer_schema'),
      `${victim} byte ${at}`,
    );
  }
});

test('a backup or manifest cut short, empty, longer or missing is found', async () => {
  for (const which of ['dump', 'manifest'] as const)
    for (const share of [0, 0.01, 0.5, 0.99, 2]) {
      const path = await makeBackup();
      const victim = which === 'dump' ? path : manifestOf(path);
      const bytes = await readFile(victim);
      await writeFile(
        victim,
        share === 2
          ? Buffer.concat([bytes, Buffer.from('x')])
          : bytes.subarray(0, Math.floor(bytes.length * share)),
      );
      await assert.rejects(check(path), refusedAs('corrupt'), `${which} ${share}`);
      await rm(victim);
      await assert.rejects(check(path), refusedAs('foreign', 'no_backup'), `${which} missing`);
    }
});

test("another backup's manifest and another product's file are refused", async () => {
  const path = await makeBackup();
  const other = await makeBackup('2026-03-19T02:15:00.000Z');
  await rename(manifestOf(other), manifestOf(path));
  await assert.rejects(check(path), refusedAs('foreign'));
  await writeFile(manifestOf(path), JSON.stringify({ product: 'something else', format: 1 }));
  await assert.rejects(check(path), refusedAs('foreign'));
});

test('a manifest of a later format asks for a later release', async () => {
  const path = await makeBackup();
  await writeFile(manifestOf(path), JSON.stringify({ product: 'marketing-api backup', format: 3 }));
  await assert.rejects(check(path), refusedAs('newer_schema'));
});

/** As someone who knows how the seal is made would change it. */
async function resealed(path: string, change: Record<string, unknown>): Promise<void> {
  const { seal: _, signature: _2, ...known } = JSON.parse(await readFile(manifestOf(path), 'utf8'));
  const unsealed = JSON.parse(JSON.stringify({ ...known, ...change }));
  const seal = createHash('sha256').update(JSON.stringify(unsealed)).digest('hex');
  await writeFile(manifestOf(path), `${JSON.stringify({ ...unsealed, seal }, null, 1)}\n`);
}

test('a manifest that was sealed anew around what cannot be is refused before anything is touched', async () => {
  const path = await makeBackup();
  const { dump } = await readManifest(path);
  for (const change of [
    { format: 0 },
    { format: -1 },
    { format: 1.5 },
    { dump: { ...dump, sha256: 'a'.repeat(64) } },
    { dump: { ...dump, bytes: dump.bytes + 1 } },
    { installation: undefined },
    { installation: { id: 'ours', pepper: 'a'.repeat(32) } },
  ]) {
    await makeBackup();
    await resealed(path, change);
    await assert.rejects(check(path), refusedAs('corrupt'), JSON.stringify(change));
  }
});

test('a backup from before installations had names is read', async () => {
  const path = await makeBackup();
  await resealed(path, { format: 1, installation: undefined });
  assert.equal((await check(path)).installation, undefined);
});
