// Who gets mail about a site: asked first, gone at one press. The SQL of it, inside inSites.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import type { Language } from '../../ground/words/language.ts';
import type { Vault } from '../accounts/vault.ts';
import { rememberForgotten } from '../consent/forget-journal.ts';
import { newKey } from '../consent/link.ts';
import { type HashAddress, keepAddress, tellAddresses } from './addresses.ts';
import { RECIPIENTS_MAX, type Recipient } from './schema.ts';

/** Without the address, which tellAddresses fills in. */
export const AS_RECIPIENT = `json_build_object('recipientId', p.recipient_id, 'email', null,
  'state', case when p.left_at is not null then 'left' when p.confirmed_at is not null then 'confirmed' else 'asked' end,
  'askedAt', instant_text(p.asked_at), 'confirmedAt', instant_text(p.confirmed_at), 'leftAt', instant_text(p.left_at))`;

/** How long nobody who left is asked again, and nobody who did not answer. */
const LEFT_DAYS = 30;

interface Known {
  recipient_id: string;
  /** As \\x… */
  hash: string;
  has_left: boolean;
}

const wrong = (n: number, message: string) => ({ path: `recipients.${n}`, message });

/**
 * The recipients of these addresses, inside inSiteWithAddresses; who is new is asked by mail, who never answered at most once a day.
 * throws  invalid_request, for what is no address or left within thirty days; conflict, when the site has too many
 */
export async function askRecipients(
  db: Db,
  { vault, hashAddress }: { vault: Vault; hashAddress: HashAddress },
  siteId: string,
  typed: readonly string[],
  language: Language,
): Promise<string[]> {
  const addresses = typed.map((text) => readAddress(text));
  const faults = addresses.flatMap((address, n) =>
    address ? [] : [wrong(n, 'an address such as ada@example.com')],
  );
  if (faults.length > 0)
    throw new AppError('invalid_request', 'Not all of these are email addresses.', { issues: faults });
  const hashes = addresses.map((address) => hashAddress(siteId, address!.normalized));
  const wanted = new Map(addresses.map((address, n) => [hashes[n]!, address!.email]));
  // one who adds recipients of a site at a time, so that the bound holds
  await db.query('select pg_advisory_xact_lock(7301014, hashtext($1))', [siteId]);
  const { rows: known } = await db.query<Known>(
    `select recipient_id, '\\x' || encode(email_hash, 'hex') as hash, coalesce(left_at > now() - interval '${LEFT_DAYS} days', false) as has_left
     from mail_recipients where site_id = $1`,
    [siteId],
  );
  const left = known.filter((one) => one.has_left && wanted.has(one.hash));
  if (left.length > 0) {
    throw new AppError(
      'invalid_request',
      'Somebody here left the mails of this site less than 30 days ago.',
      {
        issues: left.map((one) =>
          wrong(hashes.indexOf(one.hash), 'left these mails; their own link can bring them back'),
        ),
      },
    );
  }
  const added = [...wanted.keys()].filter((one) => !known.some((old) => old.hash === one));
  if (known.length + added.length > RECIPIENTS_MAX)
    throw new AppError(
      'conflict',
      `A site has at most ${RECIPIENTS_MAX} recipients of mail. Remove some first.`,
    );
  const { rows } = await db.query<{ recipient_id: string; hash: string }>(
    `insert into mail_recipients as p (site_id, email_hash, language, link_key)
     select $1, hash, $2, link_key from json_to_recordset($3) as asked (hash bytea, link_key text)
     on conflict (site_id, email_hash) do update set
       left_at = null, confirmed_at = case when p.left_at is null then p.confirmed_at end,
       asked_at = case when p.left_at is not null or (p.confirmed_at is null and p.asked_at < now() - interval '1 day') then now() else p.asked_at end,
       attempts = case when p.left_at is not null or p.confirmed_at is null then 0 else p.attempts end,
       next_attempt_at = case when p.left_at is not null or (p.confirmed_at is null and p.asked_at < now() - interval '1 day') then now() else p.next_attempt_at end
     returning recipient_id, '\\x' || encode(email_hash, 'hex') as hash`,
    [siteId, language, JSON.stringify([...wanted.keys()].map((hash) => ({ hash, link_key: newKey() })))],
  );
  for (const { recipient_id: recipientId, hash } of rows)
    if (added.includes(hash)) await keepAddress(db, vault, siteId, recipientId, wanted.get(hash)!);
  return rows.map((row) => row.recipient_id);
}

/** Inside inSiteWithAddresses. */
export async function listRecipients(db: Db, vault: Vault | null, siteId: string): Promise<Recipient[]> {
  const { rows } = await db.query<{ recipient: Recipient }>(
    `select ${AS_RECIPIENT} as recipient from mail_recipients p where site_id = $1 order by recipient_id limit ${RECIPIENTS_MAX}`,
    [siteId],
  );
  const recipients = rows.map((row) => row.recipient);
  await tellAddresses(db, vault, recipients);
  return recipients;
}

/** returns  whether there was one */
export async function deleteRecipient(db: Db, siteId: string, recipientId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'delete from mail_recipients where site_id = $1 and recipient_id = $2',
    [siteId, recipientId],
  );
  return rowCount === 1;
}

/** By the key of their own link; again: who left comes back. returns  whether the link is anybody's */
export async function confirmRecipient(pool: Pool, siteId: string, key: string): Promise<boolean> {
  const { rowCount } = await inSites(pool, siteId, (db) =>
    db.query(
      `update mail_recipients set confirmed_at = case when left_at is null then coalesce(confirmed_at, now()) else now() end,
         left_at = null, next_attempt_at = null where site_id = $1 and link_key = $2`,
      [siteId, key],
    ),
  );
  return rowCount === 1;
}

/** journal  of what was forgotten, written before the commit: a restored backup must not write to who left */
export async function leaveRecipients(
  pool: Pool,
  siteId: string,
  key: string,
  journal: string,
): Promise<boolean> {
  return inSites(pool, siteId, async (db) => {
    const { rows } = await db.query<{ recipient_id: string }>(
      `update mail_recipients set left_at = coalesce(left_at, now()), next_attempt_at = null
       where site_id = $1 and link_key = $2 returning recipient_id`,
      [siteId, key],
    );
    const recipientId = rows[0]?.recipient_id;
    if (recipientId)
      await rememberForgotten(journal, {
        kind: 'recipient',
        siteId,
        recipientId,
        at: new Date().toISOString(),
      });
    return recipientId !== undefined;
  });
}

/** After a restore; one that is not there is none. */
export async function leaveRecipientsAgain(pool: Pool, siteId: string, recipientId: string): Promise<void> {
  await inSites(pool, siteId, (db) =>
    db.query(
      'update mail_recipients set left_at = coalesce(left_at, now()), next_attempt_at = null where site_id = $1 and recipient_id = $2',
      [siteId, recipientId],
    ),
  );
}

export interface Asked {
  site_id: string;
  recipient_id: string;
  language: Language;
  link_key: string;
  attempts: number;
}

/** Who is to be asked now, for ten minutes in one hand. */
export async function claimAsked(db: Db, limit: number): Promise<Asked[]> {
  const { rows } = await db.query<Asked>(
    `update mail_recipients p set attempts = p.attempts + 1, next_attempt_at = now() + interval '10 minutes'
     where (site_id, recipient_id) in (
       select site_id, recipient_id from mail_recipients where next_attempt_at <= now() and confirmed_at is null and left_at is null
       order by next_attempt_at limit $1 for update skip locked)
     returning site_id, recipient_id, language, link_key, attempts`,
    [limit],
  );
  return rows;
}

/** nextMinutes  null: sent, or given up */
export async function noteAsked(
  db: Db,
  { site_id, recipient_id }: Asked,
  nextMinutes: number | null,
): Promise<void> {
  await db.query(
    'update mail_recipients set next_attempt_at = now() + make_interval(mins => $3) where site_id = $1 and recipient_id = $2',
    [site_id, recipient_id, nextMinutes],
  );
}
