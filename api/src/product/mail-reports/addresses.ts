// Addresses of who gets mail about a site: sealed as those of users are, found by a keyed hash; no dump holds one.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { readAddress } from '../../ground/lib/email.ts';
import type { Log } from '../../ground/lib/log.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import type { Vault } from '../accounts/vault.ts';

/** As `leads.hashAddress`, with a leading \x. */
export type HashAddress = (siteId: string, normalized: string) => string;

const placeOf = (recipientId: string) => `mail_recipient_addresses.sealed ${recipientId}`;

/** A transaction of one site in which its recipients' addresses are kept and read too. */
export const inSiteWithAddresses = <T>(
  pool: Pool,
  siteId: string,
  work: (db: Db) => Promise<T>,
): Promise<T> =>
  inAccounts(pool, async (db) => {
    await db.query("select set_config('marketing.sites', $1, true)", [siteId]);
    return work(db);
  });

/** Inside inSiteWithAddresses. */
export async function keepAddress(
  db: Db,
  vault: Vault,
  siteId: string,
  recipientId: string,
  address: string,
): Promise<void> {
  const { sealed, keyId } = await vault.seal(db, address, placeOf(recipientId));
  await db.query(
    `insert into mail_recipient_addresses (recipient_id, site_id, sealed, key_id) values ($1, $2, $3, $4)
     on conflict (recipient_id) do nothing`,
    [recipientId, siteId, sealed, keyId],
  );
}

/** Inside inSiteWithAddresses, or inAccounts. returns  by recipient; those are missing whose key this keyring does not open */
async function openAll(
  db: Db,
  vault: Vault | null,
  recipientIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (!vault) return found;
  const { rows } = await db.query<{ recipientId: string; sealed: Buffer; keyId: string }>(
    `select recipient_id as "recipientId", sealed, key_id as "keyId" from mail_recipient_addresses where recipient_id = any ($1)`,
    [recipientIds],
  );
  for (const { recipientId, ...what } of rows) {
    const address = await vault.open(db, what, placeOf(recipientId));
    if (address !== null) found.set(recipientId, address);
  }
  return found;
}

/** For our own mails. returns  as openAll */
export const addressesOf = (
  pool: Pool,
  vault: Vault | null,
  recipientIds: readonly string[],
): Promise<Map<string, string>> =>
  recipientIds.length === 0
    ? Promise.resolve(new Map())
    : inAccounts(pool, (db) => openAll(db, vault, recipientIds));

/** For who looks after the site. Inside inSiteWithAddresses; fills them in. */
export async function tellAddresses(
  db: Db,
  vault: Vault | null,
  recipients: readonly { recipientId: string; email: string | null }[],
): Promise<void> {
  const found = await openAll(
    db,
    vault,
    recipients.map(({ recipientId }) => recipientId),
  );
  for (const one of recipients) one.email = found.get(one.recipientId) ?? null;
}

/**
 * At the start: addresses that stand in clear since before they were sealed. A site at a time; one that a kill interrupts is as it
 * was, and the next start does it. Without a keyring they get their hash, so that an erasure finds them, and wait.
 */
export async function sealRecipients(
  pool: Pool,
  siteIds: readonly string[],
  { vault, hashAddress, log }: { vault: Vault | null; hashAddress: HashAddress; log: Log },
): Promise<void> {
  let sealed = 0;
  for (const siteId of siteIds)
    sealed += await inSiteWithAddresses(pool, siteId, async (db) => {
      const { rows } = await db.query<{ recipient_id: string; mail_to: string }>(
        `select recipient_id, mail_to from mail_recipients
         where site_id = $1 and mail_to is not null and ($2 or email_hash is null) order by recipient_id for update`,
        [siteId, vault !== null],
      );
      for (const { recipient_id: recipientId, mail_to: address } of rows) {
        if (vault) await keepAddress(db, vault, siteId, recipientId, address);
        await db.query(
          `update mail_recipients set email_hash = $3, mail_to = case when $4 then null else mail_to end
           where site_id = $1 and recipient_id = $2`,
          [siteId, recipientId, hashAddress(siteId, readAddress(address)!.normalized), vault !== null],
        );
      }
      return vault ? rows.length : 0;
    });
  if (sealed > 0) log.info({ sealed }, 'addresses of recipients of mail were sealed');
}
