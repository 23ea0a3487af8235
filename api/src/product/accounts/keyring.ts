// ACCOUNT_KEYS: the secrets under which personal data of users stands, is found, and passwords are hashed. In the secrets'
// volume beside the pepper of addresses, in no backup.
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface WrappingKey {
  /** Of the key itself; says which key a row is wrapped by. */
  fingerprint: string;
  key: Buffer;
  /** Of the Ed25519 key that signs access tokens. */
  tokenSeed: Buffer;
}
export interface Keyring {
  /** The first one wraps, the others still open: a rotation puts a new one in front. */
  wrapping: [WrappingKey, ...WrappingKey[]];
  /** HMAC-SHA256 under the key by which addresses are found. */
  index(what: string, text: string): Buffer;
  pepper: Buffer;
}

const derived = (secret: string, purpose: string) =>
  Buffer.from(hkdfSync('sha256', secret, '', `marketing accounts ${purpose}`, 32));

/** text  name:secret, parted by commas, as config.ts has checked; wrap may stand several times */
export function readKeyring(text: string): Keyring {
  const parts = text.split(',').map((part) => part.split(':') as [string, string]);
  const first = (name: string) => derived(parts.find(([one]) => one === name)![1], name);
  const wrapping = parts
    .filter(([name]) => name === 'wrap')
    .map(([, secret]) => {
      const key = derived(secret, 'wrap');
      const tokenSeed = derived(secret, 'token');
      return { key, tokenSeed, fingerprint: createHash('sha256').update(key).digest('hex').slice(0, 16) };
    });
  const index = first('index');
  return {
    wrapping: wrapping as Keyring['wrapping'],
    index: (what, word) => createHmac('sha256', index).update(`${what}\0${word}`).digest(),
    pepper: first('pepper'),
  };
}

/** A new one, as the appliance's init makes it too. */
export const newKeyring = (): string =>
  ['wrap', 'index', 'pepper'].map((name) => `${name}:${randomBytes(36).toString('base64url')}`).join(',');
