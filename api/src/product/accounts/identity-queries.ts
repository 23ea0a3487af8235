// The SQL door of who signs in through another provider. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';

/** Notes the use. returns  whose it is */
export async function useIdentity(db: Db, index: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ user_id: string }>(
    'update user_identities set used_at = now() where identity_index = $1 returning user_id',
    [index],
  );
  return rows[0]?.user_id ?? null;
}

/** returns  false when the account is known by another name at this provider: an address that changed hands there */
export async function insertIdentity(
  db: Db,
  identity: { index: Buffer; userId: string; issuer: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    'insert into user_identities (identity_index, user_id, issuer) values ($1, $2, $3) on conflict (user_id, issuer) do nothing',
    [identity.index, identity.userId, identity.issuer],
  );
  return rowCount === 1;
}

export async function deleteIdentities(db: Db, userId: string): Promise<boolean> {
  return ((await db.query('delete from user_identities where user_id = $1', [userId])).rowCount ?? 0) > 0;
}
