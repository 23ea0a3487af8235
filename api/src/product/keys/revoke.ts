// Ends a key: at once, and again after a restore of a backup that still knows it as good.
import type { Pool } from '../../ground/db/pool.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { rememberForgotten } from '../consent/forget-journal.ts';
import { revokeKey } from './queries.ts';
import type { Key } from './schema.ts';

/**
 * reach    sites of the caller; null: every site
 * journal  path of the journal of what was forgotten, written before the commit
 * returns  null when there is no such key of theirs
 */
export const revoke = (
  pool: Pool,
  reach: readonly string[] | null,
  keyId: string,
  journal: string,
): Promise<Key | null> =>
  inAccounts(pool, async (tx) => {
    const key = await revokeKey(tx, reach, keyId);
    if (key) await rememberForgotten(journal, { kind: 'key', keyId, at: new Date().toISOString() });
    return key;
  });

/** After a restore; a key that is not there is none. */
export async function revokeAgain(pool: Pool, keyId: string): Promise<void> {
  await inAccounts(pool, (tx) => revokeKey(tx, null, keyId));
}
