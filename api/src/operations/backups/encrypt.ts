// Encrypts a dump to the operator's public key (age, https://age-encryption.org), so that only they can read it.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { BackupError } from './tools.ts';

// Loaded only when a key is set: the curves cost 15 MB of memory that most installations never need.
const age = () => import('age-encryption');

const asWeb = (path: string) =>
  Readable.toWeb(createReadStream(path, { highWaterMark: 1 << 18 })) as unknown as ReadableStream<Uint8Array>;
const asNode = (stream: ReadableStream<Uint8Array>) =>
  Readable.fromWeb(stream as unknown as WebStream<Uint8Array>);

/** Whether a string is a public key that age knows; for the configuration's check. */
export const looksLikeRecipient = (text: string): boolean => /^age1[0-9a-z]{20,}$/.test(text);

/**
 * Encrypts a file and reads the result back in full.
 * The private key is not on this machine, so the proof is made with a second key that lives only for this call:
 * the file is encrypted to both, decrypted with ours, compared, and ours is forgotten.
 * throws  corrupt, when what comes back is not what went in
 */
export async function encryptFile(
  from: string,
  to: string,
  recipient: string,
  expectedSha256: string,
): Promise<void> {
  const { Encrypter, Decrypter, generateX25519Identity, identityToRecipient } = await age();
  const proof = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  encrypter.addRecipient(await identityToRecipient(proof));
  await pipeline(asNode(await encrypter.encrypt(asWeb(from))), createWriteStream(to, { mode: 0o600 }));
  const decrypter = new Decrypter();
  decrypter.addIdentity(proof);
  const hash = createHash('sha256');
  for await (const chunk of asNode(await decrypter.decrypt(asWeb(to)))) hash.update(chunk);
  if (hash.digest('hex') !== expectedSha256)
    throw new BackupError(
      'corrupt',
      'The encrypted backup does not decrypt to what was encrypted; it was thrown away.',
    );
}

/** throws  wrong_key, when the key doesn't open the file; corrupt, when the file is damaged */
export async function decryptFile(from: string, to: string, identity: string): Promise<void> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity);
  } catch {
    throw new BackupError('wrong_key', 'This is not a private key of age (AGE-SECRET-KEY-…).');
  }
  let stream: ReadableStream<Uint8Array>;
  try {
    stream = await decrypter.decrypt(asWeb(from));
  } catch (error) {
    // the library has no other way to tell these two apart than its words; if they change, the answer is "damaged"
    if (/no identity matched/.test(String(error)))
      throw new BackupError(
        'wrong_key',
        'This private key does not open the backup; it was encrypted to another one.',
      );
    throw new BackupError('corrupt', 'The encrypted backup is damaged: its head cannot be read.');
  }
  try {
    await pipeline(asNode(stream), createWriteStream(to, { mode: 0o600 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw new BackupError('corrupt', 'The encrypted backup is damaged: it does not decrypt to its end.');
  }
}
