// A backup says who made it: one that was changed, swapped or made elsewhere runs nothing here unless somebody vouches for it.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeSet } from '../../../test/backup-set.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeManifest, manifestOf, readManifest } from './manifest.ts';
import { inspectBackup } from './restore.ts';
import { refuseUnsigned, signatureOf, unsigned } from './signature.ts';
import { BackupError } from './tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'signature-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const night = new Date('2026-03-18T02:15:00Z');
const isForeign = (error: unknown) =>
  error instanceof BackupError &&
  error.reason === 'foreign' &&
  /Nobody can say who made this backup.*--from-another-installation/.test(error.message);

/** As whoever may write to the bucket would: consistent in itself, from the file to the seal. */
async function forge(path: string, signature: string | undefined): Promise<void> {
  const { product: _1, format: _2, seal: _3, signature: _4, ...facts } = await readManifest(path);
  const forged = makeManifest({ ...facts, version: '6.6.6' });
  writeFileSync(
    manifestOf(path),
    `${JSON.stringify({ ...forged, ...(signature ? { signature } : {}) }, null, 1)}\n`,
  );
}

test('a backup of ours is known for it, and its manifest does not tell the secret', async () => {
  const path = await makeSet(folder, night);
  assert.equal(unsigned(await readManifest(path), PEPPER), null);
  assert.equal(readFileSync(manifestOf(path), 'utf8').includes(PEPPER), false);
});

test('one that was made or changed by somebody else is refused before any tool opens it', async () => {
  const path = await makeSet(folder, night);
  const { seal, signature } = await readManifest(path);
  const forgeries = [undefined, signature, signatureOf(seal, 'another pepper'), '0'.repeat(64)];
  for (const given of forgeries) {
    await forge(path, given);
    const manifest = await readManifest(path);
    assert.notEqual(unsigned(manifest, PEPPER), null);
    await assert.rejects(
      inspectBackup({
        file: path,
        identity: null,
        knownMigrations: manifest.content.migrations,
        // there is no such tool: whoever asked for it would be told so
        pgBin: join(folder, 'nothing'),
        ownerUrl: 'postgres://nobody@127.0.0.1:9/none',
        pepper: PEPPER,
        fromAnother: false,
      }),
      isForeign,
    );
  }
});

test('whoever vouches for it is told what cannot be proven', async () => {
  const path = await makeSet(folder, night);
  await forge(path, undefined);
  const manifest = await readManifest(path);
  assert.match(refuseUnsigned(manifest, PEPPER, true)[0]!, /not signed/);
  assert.deepEqual(refuseUnsigned(await readManifest(await makeSet(folder, night)), PEPPER, false), []);
});
