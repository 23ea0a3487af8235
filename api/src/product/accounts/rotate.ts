// The rotation of the keys of personal data, in steps that may each be the last: keys are wrapped by the keyring's first key,
// a year-old key is followed by a new one, rows are sealed anew with it, and a key that seals nothing goes.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inAccounts } from './in-accounts.ts';
import { deleteDataKey, listDataKeys, lockDataKeys } from './key-queries.ts';
import type { Vault } from './vault.ts';

const RENEW_AFTER_MS = 365 * 86_400_000;
const BITE = 100;

/** Every column that holds something sealed, and the one that names its key. A test compares with the tables' own words. */
export const SEALED = [
  { table: 'users', id: 'user_id', column: 'email_encrypted', key: 'email_key_id' },
  { table: 'users', id: 'user_id', column: 'full_name_encrypted', key: 'full_name_key_id' },
  { table: 'user_factors', id: 'factor_id', column: 'secret_encrypted', key: 'key_id' },
  { table: 'one_time_links', id: 'link_id', column: 'email_encrypted', key: 'email_key_id' },
  { table: 'account_mails', id: 'mail_id', column: 'sealed', key: 'key_id' },
  { table: 'integration_secrets', id: 'secret_id', column: 'sealed', key: 'key_id' },
  { table: 'mail_recipient_addresses', id: 'recipient_id', column: 'sealed', key: 'key_id' },
  { table: 'webhook_secrets', id: 'secret_id', column: 'sealed', key: 'key_id' },
] as const;
type Column = (typeof SEALED)[number];

export interface Rotated {
  /** Keys that another key of the keyring wraps now. */
  rewrapped: number;
  renewed: boolean;
  /** Values that were sealed anew. */
  resealed: number;
  /** Values whose key this keyring does not open: they stay as they are. */
  unopened: number;
  /** Keys that sealed nothing any more. */
  ended: number;
}

/** renew  a new key now, whatever the age of the newest */
export async function rotateKeys(pool: Pool, vault: Vault, renew: boolean): Promise<Rotated> {
  const done: Rotated = { rewrapped: 0, renewed: false, resealed: 0, unopened: 0, ended: 0 };
  done.rewrapped = await inAccounts(pool, (db) => vault.rewrap(db));
  const current = await inAccounts(pool, async (db) => {
    const newest = (await listDataKeys(db)).at(-1);
    if (!newest) return null; // nothing was ever sealed
    done.renewed = renew || Date.now() - newest.createdAt.getTime() > RENEW_AFTER_MS;
    return vault.current(db, done.renewed);
  });
  if (!current) return done;
  for (const column of SEALED) {
    const { resealed, unopened } = await resealAll(pool, vault, column, current);
    done.resealed += resealed;
    done.unopened += unopened;
  }
  done.ended = await inAccounts(pool, (db) => endUnused(db, current));
  if (done.ended > 0) await inAccounts(pool, (db) => vault.reload(db));
  return done;
}

/** In bites, each its own transaction, so that nobody who signs in waits long. */
async function resealAll(pool: Pool, vault: Vault, where: Column, current: string) {
  const { table, id, column, key } = where;
  const done = { resealed: 0, unopened: 0 };
  let after: string | null = null;
  for (;;) {
    const rows: { id: string; sealed: Buffer; keyId: string }[] = await inAccounts(pool, async (db) => {
      const found = await db.query<{ id: string; sealed: Buffer; keyId: string }>(
        `select ${id} as id, ${column} as sealed, ${key} as "keyId" from ${table}
         where ${key} <> $1 and ($2::uuid is null or ${id} > $2) order by ${id} limit ${BITE} for update`,
        [current, after],
      );
      for (const row of found.rows) {
        const place = `${table}.${column} ${row.id}`;
        const text = await vault.open(db, row, place);
        if (text === null) {
          done.unopened += 1;
          continue;
        }
        const { sealed, keyId } = await vault.seal(db, text, place);
        await db.query(`update ${table} set ${column} = $2, ${key} = $3 where ${id} = $1`, [
          row.id,
          sealed,
          keyId,
        ]);
        done.resealed += 1;
      }
      return found.rows;
    });
    if (rows.length < BITE) return done;
    after = rows.at(-1)!.id;
  }
}

async function endUnused(db: Db, current: string): Promise<number> {
  await lockDataKeys(db);
  const inUse = SEALED.map(({ table, key }) => `select ${key} from ${table} where ${key} is not null`).join(
    ' union ',
  );
  const used = new Set(
    (
      await db.query<{ key_id: string }>(
        `select k.key_id from encryption_keys k where k.key_id in (${inUse})`,
      )
    ).rows.map((row) => row.key_id),
  );
  let ended = 0;
  for (const { keyId } of await listDataKeys(db))
    if (keyId !== current && !used.has(keyId)) {
      await deleteDataKey(db, keyId);
      ended += 1;
    }
  return ended;
}
