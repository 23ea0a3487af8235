// The SQL door of the keys of personal data. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';

export interface DataKey {
  keyId: string;
  wrapped: Buffer;
  wrappedBy: string;
  createdAt: Date;
}

/** In the order they were made. */
export async function listDataKeys(db: Db): Promise<DataKey[]> {
  const { rows } = await db.query<DataKey>(
    `select key_id as "keyId", wrapped, wrapped_by as "wrappedBy", created_at as "createdAt" from encryption_keys order by created_at, key_id`,
  );
  return rows;
}

/** Until the transaction ends nobody else makes, rewraps or ends one. */
export async function lockDataKeys(db: Db): Promise<void> {
  await db.query('select pg_advisory_xact_lock(7301004)');
}

export async function insertDataKey(
  db: Db,
  keyId: string,
  wrapped: Buffer,
  wrappedBy: string,
): Promise<void> {
  await db.query(
    "insert into encryption_keys (key_id, purpose, wrapped, wrapped_by, created_at) values ($1, 'accounts', $2, $3, clock_timestamp())",
    [keyId, wrapped, wrappedBy],
  );
}

export async function rewrapDataKey(
  db: Db,
  keyId: string,
  wrapped: Buffer,
  wrappedBy: string,
): Promise<void> {
  await db.query('update encryption_keys set wrapped = $2, wrapped_by = $3 where key_id = $1', [
    keyId,
    wrapped,
    wrappedBy,
  ]);
}

export async function deleteDataKey(db: Db, keyId: string): Promise<void> {
  await db.query('delete from encryption_keys where key_id = $1', [keyId]);
}
