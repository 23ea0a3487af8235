// The way in of programs: a key that is there, whose secret fits, that has not ended.
import type { Pool } from '../../ground/db/pool.ts';
import { type Caller, keyOf, type WayIn } from '../../ground/http/caller.ts';
import { mayWith } from '../../ground/http/roles.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { isSecretOf } from '../accounts/secrets.ts';
import { findLiveKey, type LiveKey, noteUse } from './queries.ts';
import { readToken } from './token.ts';

/** As x-admin-key only a key of scope admin is taken: that header opens admin routes and nothing less. */
export function keyWay(db: Pool): WayIn {
  return async (call) => {
    const token = readToken(keyOf(call));
    if (!token) return null;
    const key = await inAccounts(db, async (tx) => {
      const live = await findLiveKey(tx, token.keyId);
      if (!live || !isSecretOf(token.secret, live.secretHash)) return null;
      if (!live.isUsedToday) await noteUse(tx, token.keyId);
      return live;
    });
    if (!key) return null;
    const isBearer = call.header('authorization') !== '';
    return isBearer || key.scopes.includes('admin') ? callerOf(db, token.keyId, key) : null;
  };
}

/** By its id. returns  null when it has ended */
export async function keyAgain(db: Pool, keyId: string): Promise<Caller | null> {
  const live = await inAccounts(db, (tx) => findLiveKey(tx, keyId));
  return live && callerOf(db, keyId, live);
}

function callerOf(db: Pool, keyId: string, { scopes, siteIds }: LiveKey): Caller {
  return {
    actor: `key:${keyId}`,
    siteIds: siteIds ?? 'all',
    may: (what, siteId) =>
      mayWith(scopes, what) && (siteId === undefined || siteIds === null || siteIds.includes(siteId)),
    again: () => keyAgain(db, keyId),
  };
}
