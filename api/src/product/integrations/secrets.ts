// Secrets of integrations: chosen at the other side, kept sealed; the one before is taken for 72 hours more, or as many as are said.
import type { Db } from '../../ground/db/pool.ts';
import type { Vault } from '../accounts/vault.ts';

export const OVERLAP_HOURS = 72;
export const placeOf = (secretId: string) => `integration_secrets.sealed ${secretId}`;

/** In a transaction of inAccounts. */
export async function putSecret(
  db: Db,
  vault: Vault,
  siteId: string,
  integrationId: string,
  secret: string,
  overlapHours = OVERLAP_HOURS,
): Promise<void> {
  await db.query(
    `update integration_secrets set ends_at = least(ends_at, now() + make_interval(hours => $3))
     where site_id = $1 and integration_id = $2 and (ends_at is null or $3 = 0)`,
    [siteId, integrationId, overlapHours],
  );
  const { rows } = await db.query<{ id: string }>('select uuidv7() as id');
  const secretId = rows[0]!.id;
  const { sealed, keyId } = await vault.seal(db, secret, placeOf(secretId));
  await db.query(
    'insert into integration_secrets (secret_id, site_id, integration_id, sealed, key_id) values ($1, $2, $3, $4, $5)',
    [secretId, siteId, integrationId, sealed, keyId],
  );
}
