import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { digestFile } from '../../ground/lib/digest.ts';
import { decryptFile, encryptFile, looksLikeRecipient } from './encrypt.ts';
import { BackupError } from './tools.ts';

const folder = await mkdtemp(join(tmpdir(), 'encrypt-test-'));
after(() => rm(folder, { recursive: true }));
const [plain, sealed, opened] = ['plain', 'sealed', 'opened'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const key = await generateX25519Identity();
const recipient = await identityToRecipient(key);
// several chunks of age's 64 KB, and a part of one
await writeFile(plain, randomBytes(300_001));
const { sha256 } = await digestFile(plain);
const refusedAs = (reason: string) => (error: unknown) =>
  error instanceof BackupError && error.reason === reason;

test('what was encrypted to a public key comes back with the private one', async () => {
  await encryptFile(plain, sealed, recipient, sha256);
  assert.equal((await readFile(sealed)).includes((await readFile(plain)).subarray(0, 64)), false);
  await decryptFile(sealed, opened, key);
  assert.equal((await digestFile(opened)).sha256, sha256);
});

test('another private key, or something that is none, is told apart from damage', async () => {
  await encryptFile(plain, sealed, recipient, sha256);
  await assert.rejects(decryptFile(sealed, opened, await generateX25519Identity()), refusedAs('wrong_key'));
  await assert.rejects(decryptFile(sealed, opened, 'not a key'), refusedAs('wrong_key'));
});

test('a damaged encrypted backup is found wherever the damage is', async () => {
  await encryptFile(plain, sealed, recipient, sha256);
  const whole = await readFile(sealed);
  for (const at of [0, 30, 70_000, 200_000, whole.length - 1]) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 4;
    await writeFile(sealed, bytes);
    await assert.rejects(decryptFile(sealed, opened, key), BackupError, `byte ${at}`);
  }
  for (const length of [0, 100, 65_000, whole.length - 1]) {
    await writeFile(sealed, whole.subarray(0, length));
    await assert.rejects(decryptFile(sealed, opened, key), refusedAs('corrupt'), `cut at ${length}`);
  }
});

test('an encryption that went wrong is noticed by reading it back', async () => {
  await assert.rejects(encryptFile(plain, sealed, recipient, '0'.repeat(64)), refusedAs('corrupt'));
});

test('only public keys of age are taken as recipients', () => {
  assert.equal(looksLikeRecipient(recipient), true);
  for (const text of ['', 'age1', key, 'ssh-ed25519 AAAA', ` ${recipient}`])
    assert.equal(looksLikeRecipient(text), false);
});
