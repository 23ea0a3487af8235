// The SQL door of second factors. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import type { Sealed } from './vault.ts';

export interface Totp extends Sealed {
  factorId: string;
  confirmedAt: Date | null;
}

/** Locked: of two who send one code the second finds it used. */
export async function findTotp(db: Db, userId: string): Promise<Totp | null> {
  const { rows } = await db.query<Totp>(
    `select factor_id as "factorId", secret_encrypted as sealed, key_id as "keyId", confirmed_at as "confirmedAt"
     from user_factors where user_id = $1 and kind = 'totp' for update`,
    [userId],
  );
  return rows[0] ?? null;
}

/** In the place of one that was begun and never confirmed. */
export async function insertTotp(
  db: Db,
  userId: string,
  factorId: string,
  { sealed, keyId }: Sealed,
): Promise<void> {
  await db.query("delete from user_factors where user_id = $1 and kind = 'totp' and confirmed_at is null", [
    userId,
  ]);
  await db.query(
    "insert into user_factors (user_id, factor_id, kind, secret_encrypted, key_id) values ($1, $2, 'totp', $3, $4)",
    [userId, factorId, sealed, keyId],
  );
}

/** The first one confirms the factor. returns  false when this step's code, or a later one's, was used already */
export async function useStep(db: Db, factorId: string, step: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update user_factors set last_step = $2, confirmed_at = coalesce(confirmed_at, now())
     where factor_id = $1 and (last_step is null or last_step < $2)`,
    [factorId, step],
  );
  return rowCount === 1;
}

/** Codes of an app. returns  false when there were none */
export async function deleteTotp(db: Db, userId: string): Promise<boolean> {
  const sql = "delete from user_factors where user_id = $1 and kind = 'totp'";
  return ((await db.query(sql, [userId])).rowCount ?? 0) > 0;
}

/** Codes, passkeys and recovery codes, for who lost them. returns  false when there were none */
export async function deleteAllFactors(db: Db, userId: string): Promise<boolean> {
  const { rowCount: keys } = await db.query('delete from passkeys where user_id = $1', [userId]);
  const { rowCount: factors } = await db.query('delete from user_factors where user_id = $1', [userId]);
  return (keys ?? 0) + (factors ?? 0) > 0;
}

/** Recovery codes stand in for a second factor: without one they go. */
export async function dropIdleRecoveryCodes(db: Db, userId: string): Promise<void> {
  await db.query(
    `delete from user_factors f where f.user_id = $1 and f.kind = 'recovery' and not exists (select from passkeys p where p.user_id = $1)
       and not exists (select from user_factors t where t.user_id = $1 and t.kind = 'totp' and t.confirmed_at is not null)`,
    [userId],
  );
}

export async function hasRecoveryCodes(db: Db, userId: string): Promise<boolean> {
  const sql = "select from user_factors where user_id = $1 and kind = 'recovery' limit 1";
  return (await db.query(sql, [userId])).rowCount === 1;
}

/** Those from before are worth nothing then. */
export async function replaceRecoveryCodes(db: Db, userId: string, hashes: readonly Buffer[]): Promise<void> {
  await db.query("delete from user_factors where user_id = $1 and kind = 'recovery'", [userId]);
  await db.query(
    "insert into user_factors (user_id, kind, secret_hash) select $1, 'recovery', unnest($2::bytea[])",
    [userId, hashes],
  );
}

export async function useRecoveryCode(db: Db, userId: string, hash: Buffer): Promise<boolean> {
  const { rowCount } = await db.query(
    "delete from user_factors where user_id = $1 and kind = 'recovery' and secret_hash = $2",
    [userId, hash],
  );
  return rowCount === 1;
}
