import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  checkFile,
  digestFile,
  type Manifest,
  makeManifest,
  manifestOf,
  readManifest,
  writeManifest,
} from './manifest.ts';
import { BackupError } from './tools.ts';

const folder = await mkdtemp(join(tmpdir(), 'manifest-test-'));
after(() => rm(folder, { recursive: true }));

async function makeBackup(name = 'marketing-20260318T021500Z.dump'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, randomBytes(5000));
  const found = await digestFile(path);
  const content = {
    tables: { sites: { rows: '1', checksum: '42' } },
    objects: { indexes: 3 },
    migrations: ['0001_sites.sql'],
  };
  const facts = {
    createdAt: '2026-03-18T02:15:00.000Z',
    version: '1.0.0',
    server: '18.4',
    dump: found,
    encryption: 'none' as const,
    content,
  };
  await writeManifest(path, makeManifest({ ...facts, file: { name, ...found } }));
  return path;
}
const check = async (path: string): Promise<Manifest> => {
  const manifest = await readManifest(path);
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
  const other = await makeBackup('marketing-20260319T021500Z.dump');
  await rename(manifestOf(other), manifestOf(path));
  await assert.rejects(check(path), refusedAs('foreign'));
  await writeFile(manifestOf(path), JSON.stringify({ product: 'something else', format: 1 }));
  await assert.rejects(check(path), refusedAs('foreign'));
});

test('a manifest of a later format asks for a later release', async () => {
  const path = await makeBackup();
  await writeFile(manifestOf(path), JSON.stringify({ product: 'marketing-api backup', format: 2 }));
  await assert.rejects(check(path), refusedAs('newer_schema'));
});
