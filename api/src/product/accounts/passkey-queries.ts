// The SQL door of passkeys. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';

export interface Passkey {
  passkeyId: string;
  userId: string;
  credentialId: Buffer;
  publicKey: Buffer;
  counter: number;
  transports: string[];
  name: string;
  createdAt: Date;
  usedAt: Date | null;
}
const COLUMNS = `passkey_id as "passkeyId", user_id as "userId", credential_id as "credentialId", public_key as "publicKey", counter::float as counter,
  transports, name, created_at as "createdAt", used_at as "usedAt"`;

export async function insertPasskey(
  db: Db,
  key: Pick<Passkey, 'userId' | 'credentialId' | 'publicKey' | 'counter' | 'transports' | 'name'>,
): Promise<Passkey> {
  const { rows } = await db.query<Passkey>(
    `insert into passkeys (user_id, credential_id, public_key, counter, transports, name) values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
    [key.userId, key.credentialId, key.publicKey, key.counter, key.transports, key.name],
  );
  return rows[0]!;
}

/** The oldest first. */
export async function listPasskeys(db: Db, userId: string): Promise<Passkey[]> {
  const sql = `select ${COLUMNS} from passkeys where user_id = $1 order by passkey_id`;
  return (await db.query<Passkey>(sql, [userId])).rows;
}

export async function findPasskey(db: Db, credentialId: Buffer): Promise<Passkey | null> {
  const sql = `select ${COLUMNS} from passkeys where credential_id = $1`;
  return (await db.query<Passkey>(sql, [credentialId])).rows[0] ?? null;
}

/** returns  false when the device signed more often meanwhile than it says: one of two is a copy */
export async function notePasskeyUse(db: Db, passkeyId: string, counter: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update passkeys set counter = $2, used_at = now() where passkey_id = $1 and (counter < $2 or (counter = 0 and $2 = 0))`,
    [passkeyId, counter],
  );
  return rowCount === 1;
}

export async function renamePasskey(
  db: Db,
  userId: string,
  passkeyId: string,
  name: string,
): Promise<Passkey | null> {
  const sql = `update passkeys set name = $3 where user_id = $1 and passkey_id = $2 returning ${COLUMNS}`;
  return (await db.query<Passkey>(sql, [userId, passkeyId, name])).rows[0] ?? null;
}

export async function deletePasskey(db: Db, userId: string, passkeyId: string): Promise<boolean> {
  const sql = 'delete from passkeys where user_id = $1 and passkey_id = $2';
  return (await db.query(sql, [userId, passkeyId])).rowCount === 1;
}
