// The SQL door of keys. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import type { Scope } from '../../ground/http/roles.ts';
import type { Key } from './schema.ts';

const AS_KEY = `key_id as "keyId", name, scopes, site_ids as "siteIds", made_by as "madeBy", instant_text(created_at) as "createdAt",
  instant_text(expires_at) as "expiresAt", last_used_on as "lastUsedOn", instant_text(revoked_at) as "revokedAt"`;
// $1: sites of the caller; null: every site
const THEIRS = '($1::uuid[] is null or site_ids <@ $1::uuid[])';

export interface KeyRow {
  name: string;
  secretHash: Buffer;
  scopes: readonly Scope[];
  siteIds: readonly string[] | null;
  madeBy: string;
  expiresAt: Date;
}

export async function insertKey(db: Db, key: KeyRow): Promise<Key> {
  const { rows } = await db.query<Key>(
    `insert into api_keys (name, secret_hash, scopes, site_ids, made_by, expires_at) values ($1, $2, $3, $4, $5, $6) returning ${AS_KEY}`,
    [key.name, key.secretHash, key.scopes, key.siteIds, key.madeBy, key.expiresAt],
  );
  return rows[0]!;
}

/** siteIds  of the caller, null: every site. Keys that reach further than these are not theirs to see. */
export async function listKeys(
  db: Db,
  siteIds: readonly string[] | null,
  after: string | null,
  limit: number,
): Promise<Key[]> {
  const { rows } = await db.query<Key>(
    `select ${AS_KEY} from api_keys where ${THEIRS} and ($2::uuid is null or key_id < $2) order by key_id desc limit $3`,
    [siteIds, after, limit],
  );
  return rows;
}

/** returns  null when there is none of theirs; an ended key stays as it ended */
export async function revokeKey(
  db: Db,
  siteIds: readonly string[] | null,
  keyId: string,
): Promise<Key | null> {
  const { rows } = await db.query<Key>(
    `update api_keys set revoked_at = coalesce(revoked_at, now()) where ${THEIRS} and key_id = $2 returning ${AS_KEY}`,
    [siteIds, keyId],
  );
  return rows[0] ?? null;
}

export interface LiveKey {
  secretHash: Buffer;
  scopes: Scope[];
  siteIds: string[] | null;
  isUsedToday: boolean;
}

/** returns  null when it is not there, has expired or was revoked */
export async function findLiveKey(db: Db, keyId: string): Promise<LiveKey | null> {
  const { rows } = await db.query<LiveKey>(
    `select secret_hash as "secretHash", scopes, site_ids as "siteIds",
       coalesce(last_used_on = (now() at time zone 'UTC')::date, false) as "isUsedToday"
     from api_keys where key_id = $1 and revoked_at is null and expires_at > now()`,
    [keyId],
  );
  return rows[0] ?? null;
}

export async function noteUse(db: Db, keyId: string): Promise<void> {
  await db.query("update api_keys set last_used_on = (now() at time zone 'UTC')::date where key_id = $1", [
    keyId,
  ]);
}
