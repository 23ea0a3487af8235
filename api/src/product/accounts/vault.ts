// What is sealed in the tables of users, and the keys it is sealed with: those stand in the database, themselves sealed
// under the keyring, which does not. Unsealed keys stay in this process's memory.
import { randomBytes, randomUUID } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { insertDataKey, listDataKeys, lockDataKeys, rewrapDataKey } from './key-queries.ts';
import { type Keyring, readKeyring } from './keyring.ts';
import { seal, unseal } from './seal.ts';

export interface Sealed {
  keyId: string;
  sealed: Buffer;
}

export interface Vault {
  /** Finds an address's row. */
  indexOf(normalized: string): Buffer;
  keyring: Keyring;
  /** place: table, column and row. In a transaction of inAccounts. */
  seal(db: Db, text: string, place: string): Promise<Sealed>;
  /** returns  null when the key is not there, or cannot be opened by this keyring: a restore without it */
  open(db: Db, what: Sealed, place: string): Promise<string | null>;
  /** The key that seals now; makes one when there is none that opens, or when `anew`. */
  current(db: Db, anew?: boolean): Promise<string>;
  /** Wraps by the keyring's first key what another one wraps. returns  how many */
  rewrap(db: Db): Promise<number>;
  /** Reads the keys anew: another process, or a rotation, made or wrapped them. */
  reload(db: Db): Promise<void>;
}

export const placeOfKey = (keyId: string) => `encryption_keys.wrapped ${keyId}`;

/** onUnopened  called with how many keys this keyring does not open. returns  null without a keyring */
export function openVault(
  accountKeys: string | undefined,
  onUnopened: (count: number) => void = () => {},
): Vault | null {
  return accountKeys === undefined ? null : makeVault(readKeyring(accountKeys), onUnopened);
}

/** throws  unavailable: there is no keyring, so nobody can have an account */
export function needed(vault: Vault | null): Vault {
  if (vault) return vault;
  throw new AppError(
    'unavailable',
    'Accounts need the setting ACCOUNT_KEYS. The appliance and scripts/start make it; docs/accounts.md tells how to make one.',
  );
}

function makeVault(keyring: Keyring, onUnopened: (count: number) => void): Vault {
  const keys = new Map<string, Buffer>();
  let newest: string | null = null;

  async function reload(db: Db): Promise<void> {
    const found = await listDataKeys(db);
    let unopened = 0;
    newest = null;
    keys.clear();
    for (const { keyId, wrapped, wrappedBy } of found) {
      const wrapping = keyring.wrapping.find(({ fingerprint }) => fingerprint === wrappedBy);
      const key = wrapping ? unseal(wrapping.key, wrapped, placeOfKey(keyId)) : null;
      if (key) {
        keys.set(keyId, key);
        newest = keyId; // in the order they were made
      } else unopened += 1;
    }
    if (unopened > 0) onUnopened(unopened);
  }

  async function current(db: Db, anew = false): Promise<string> {
    if (!newest || anew) {
      await lockDataKeys(db);
      await reload(db);
    }
    if (newest && !anew) return newest;
    const keyId = randomUUID();
    const key = randomBytes(32);
    const { key: wrapping, fingerprint } = keyring.wrapping[0];
    await insertDataKey(db, keyId, seal(wrapping, key, placeOfKey(keyId)), fingerprint);
    keys.set(keyId, key);
    newest = keyId;
    return keyId;
  }

  async function rewrap(db: Db): Promise<number> {
    await lockDataKeys(db);
    await reload(db);
    const { key: wrapping, fingerprint } = keyring.wrapping[0];
    const others = (await listDataKeys(db)).filter(
      ({ keyId, wrappedBy }) => wrappedBy !== fingerprint && keys.has(keyId),
    );
    for (const { keyId } of others)
      await rewrapDataKey(db, keyId, seal(wrapping, keys.get(keyId)!, placeOfKey(keyId)), fingerprint);
    return others.length;
  }

  async function keyOf(db: Db, keyId: string): Promise<Buffer | undefined> {
    if (!keys.has(keyId)) await reload(db);
    return keys.get(keyId);
  }

  return {
    keyring,
    reload,
    rewrap,
    current,
    indexOf: (normalized) => keyring.index('email', normalized),
    async seal(db, text, place) {
      let keyId = await current(db);
      if (!(await hasKey(db, keyId))) {
        await reload(db); // its transaction was rolled back, or a rotation ended it
        keyId = await current(db);
      }
      return { keyId, sealed: seal(keys.get(keyId)!, Buffer.from(text), place) };
    },
    async open(db, { keyId, sealed }, place) {
      const key = await keyOf(db, keyId);
      return (key && unseal(key, sealed, place)?.toString()) ?? null;
    },
  };
}

const hasKey = async (db: Db, keyId: string) => (await listDataKeys(db)).some((one) => one.keyId === keyId);
