// Links to one's own data: asked for, made when they are mailed, found again by the hash of their random half.
import { createHash } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import type { Language } from '../../ground/words/language.ts';

/** How long a link works. */
export const LINK_MINUTES = 60;

// Of the address that the mail goes to, of who asks, and of a site. Somebody in trouble asks twice or three times.
const PER_ADDRESS_AND_HOUR_MAX = 3;
const PER_ADDRESS_AND_DAY_MAX = 6;
const PER_CLIENT_AND_DAY_MAX = 20;
const PER_SITE_AND_DAY_MAX = 1000;

export interface Ask {
  siteId: string;
  /** look: opens what is held; address: says that mailTo takes the place of the person's address. */
  kind: 'look' | 'address';
  /** Whose data. */
  normalized: string;
  /** null: to the person's own address, as it is held. */
  mailTo: string | null;
  /** Keyed, as \x…, of the address the mail goes to. */
  hash: string;
  /** Keyed hash of the client's address, as \x… */
  askedBy: string;
  language: Language;
}

/**
 * The same statements for every address, known or not; inside inSites.
 * returns  false when so many were asked for that no mail will leave
 */
export async function askForLink(db: Db, ask: Ask): Promise<boolean> {
  const { siteId, kind, normalized, mailTo, hash, askedBy, language } = ask;
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' your data', 7))", [siteId]);
  const { rowCount } = await db.query(
    `insert into your_data_links (site_id, kind, email_normalized, mail_to, email_hash, asked_by, language)
     select $1, $2, $3, $4, $5, $6, $7 from (
       select count(*) filter (where email_hash = $5 and asked_at > now() - interval '1 hour') as of_hour,
         count(*) filter (where email_hash = $5) as of_address, count(*) filter (where asked_by = $6) as of_client, count(*) as of_site
       from your_data_links where site_id = $1 and asked_at > now() - interval '1 day'
     ) asked
     where of_hour < ${PER_ADDRESS_AND_HOUR_MAX} and of_address < ${PER_ADDRESS_AND_DAY_MAX}
       and of_client < ${PER_CLIENT_AND_DAY_MAX} and of_site < ${PER_SITE_AND_DAY_MAX}`,
    [siteId, kind, normalized, mailTo, hash, askedBy, language],
  );
  return rowCount === 1;
}

export interface LiveLink {
  linkId: string;
  kind: Ask['kind'];
  normalized: string;
  mailTo: string | null;
  expiresAt: Date;
}

/** 192 random bits need no salt. As \x… */
export const hashOfKey = (key: string): string => `\\x${createHash('sha256').update(key).digest('hex')}`;

// Of one link: a look or an act each. Each leaves a line in the audit log, which is kept for years.
const USES_MAX = 200;

/** Counts the use. returns  null for one that ran out, was ended, used up, or never was; inside inSites */
export async function useLink(db: Db, siteId: string, key: string): Promise<LiveLink | null> {
  const { rows } = await db.query<LiveLink>(
    `update your_data_links set uses = uses + 1
     where site_id = $1 and token_hash = $2 and expires_at > now() and email_normalized is not null and uses < ${USES_MAX}
     returning link_id as "linkId", kind, email_normalized as normalized, mail_to as "mailTo", expires_at as "expiresAt"`,
    [siteId, hashOfKey(key)],
  );
  return rows[0] ?? null;
}

/** Every link to that person's data: the address is another one now. */
export async function endLinks(db: Db, siteId: string, normalized: string): Promise<void> {
  await db.query(
    `update your_data_links set email_normalized = null, mail_to = null, token_hash = null, next_attempt_at = null
     where site_id = $1 and email_normalized = $2`,
    [siteId, normalized],
  );
}
