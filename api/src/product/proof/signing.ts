// Signs receipts with Ed25519. The private key is derived from the installation's secrets, so that it stands in no table, no
// file of its own and no backup; each public key that ever signed stays in the database.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { Config } from '../../config.ts';

export { canonical } from './canonical.ts';

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export interface Signer {
  keyId: string;
  /** 32 bytes. */
  publicKey: Buffer;
  sign(text: string): Buffer;
}

/** The newest wrapping key of ACCOUNT_KEYS, where there is one, else the pepper: a rotation of either begins a new key. */
export function openSigner({
  ACCOUNT_KEYS,
  IP_HASH_PEPPER,
}: Pick<Config, 'ACCOUNT_KEYS' | 'IP_HASH_PEPPER'>): Signer {
  const secret = /(?:^|,)wrap:([^,]+)/.exec(ACCOUNT_KEYS ?? '')?.[1] ?? IP_HASH_PEPPER;
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'marketing receipts', 32));
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = rawOf(createPublicKey(key));
  const keyId = createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
  return { keyId, publicKey, sign: (text) => sign(null, Buffer.from(text), key) };
}

const rawOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);

export function isSignedBy(publicKey: Buffer, text: string, signature: Buffer): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, signature);
}

/** Of what is signed. */
export const receiptIdOf = (text: string): Buffer =>
  createHash('sha256').update(text).digest().subarray(0, 16);
