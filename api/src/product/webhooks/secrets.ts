// Secrets of endpoints: made and shown once, kept sealed, several at a time while a rotation overlaps.
import { randomBytes } from 'node:crypto';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import type { Vault } from '../accounts/vault.ts';

/** As Standard Webhooks writes them. */
export const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

const placeOf = (secretId: string) => `webhook_secrets.sealed ${secretId}`;

/** In a transaction of inAccounts. */
export async function insertSecret(
  db: Db,
  vault: Vault,
  siteId: string,
  webhookId: string,
  secret: string,
): Promise<void> {
  const { rows } = await db.query<{ id: string }>('select uuidv7() as id');
  const secretId = rows[0]!.id;
  const { sealed, keyId } = await vault.seal(db, secret, placeOf(secretId));
  await db.query(
    'insert into webhook_secrets (secret_id, site_id, webhook_id, sealed, key_id) values ($1, $2, $3, $4, $5)',
    [secretId, siteId, webhookId, sealed, keyId],
  );
}

/** A new one beside those there are, which sign for so many hours more. In a transaction of inAccounts. */
export async function rotateSecret(
  db: Db,
  vault: Vault,
  siteId: string,
  webhookId: string,
  overlapHours: number,
): Promise<string> {
  await db.query(
    `update webhook_secrets set ends_at = least(coalesce(ends_at, 'infinity'), now() + make_interval(hours => $3))
     where site_id = $1 and webhook_id = $2`,
    [siteId, webhookId, overlapHours],
  );
  const secret = newSigningSecret();
  await insertSecret(db, vault, siteId, webhookId, secret);
  return secret;
}

/** The newest first. returns  null when there are some, and the keyring opens none of them */
export function findSecrets(
  pool: Pool,
  vault: Vault,
  siteId: string,
  webhookId: string,
): Promise<string[] | null> {
  return inAccounts(pool, async (db) => {
    const { rows } = await db.query<{ secretId: string; sealed: Buffer; keyId: string }>(
      `select secret_id as "secretId", sealed, key_id as "keyId" from webhook_secrets
       where site_id = $1 and webhook_id = $2 and (ends_at is null or ends_at > now()) order by secret_id desc limit 5`,
      [siteId, webhookId],
    );
    const secrets: string[] = [];
    for (const { secretId, ...what } of rows) {
      const secret = await vault.open(db, what, placeOf(secretId));
      if (secret !== null) secrets.push(secret);
    }
    return rows.length > 0 && secrets.length === 0 ? null : secrets;
  });
}
