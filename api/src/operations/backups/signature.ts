// Who made a backup: an HMAC over its manifest, which holds the checksums of everything else. Whoever may write where the copies
// lie, but does not know the secrets, cannot choose the SQL that a restore runs.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BackupError } from './tools.ts';

// the word keeps this key apart from every other use of the pepper
const keyOf = (pepper: string): Buffer =>
  createHmac('sha256', pepper).update('key of backup manifests').digest();

/** seal  the manifest's own checksum. returns  64 hexadecimal digits */
export const signatureOf = (seal: string, pepper: string): string =>
  createHmac('sha256', keyOf(pepper)).update(seal).digest('hex');

interface Signed {
  seal: string;
  signature?: string | undefined;
}

/** returns  why a manifest cannot be said to be ours; null: it was made with this very pepper, and nobody has changed it since */
export function unsigned({ seal, signature }: Signed, pepper: string): string | null {
  if (!signature)
    return 'its manifest is not signed: it is from before backups were, or somebody took the signature off';
  const made = Buffer.from(signatureOf(seal, pepper), 'hex');
  const given = Buffer.from(signature, 'hex');
  if (given.length === made.length && timingSafeEqual(given, made)) return null;
  return 'its manifest was not signed with the secrets of this installation, or was changed since: bring the pepper first if it is your own backup (scripts/secret IP_HASH_PEPPER)';
}

/**
 * trusted  whoever restores has said so
 * returns  what cannot be proven all the same, in sentences
 * throws   foreign, before anything of the backup is run
 */
export function refuseUnsigned(manifest: Signed, pepper: string, trusted: boolean): string[] {
  const why = unsigned(manifest, pepper);
  if (why === null) return [];
  if (!trusted)
    throw new BackupError(
      'foreign',
      `Nobody can say who made this backup: ${why}. Restoring runs what is in it. If you know where it comes from, say --from-another-installation.`,
    );
  return [why];
}
