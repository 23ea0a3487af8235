// The SQL door of consent.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { ConsentRecord } from './chain.ts';

export interface Withdrawal {
  site_id: string;
  request_id: string;
  at: string;
  basis: 'unsubscribe_link' | 'one_click' | 'unsubscribe_request' | 'admin';
  key?: string;
  email_normalized?: string;
  email_hash?: string;
  reason?: string | undefined;
  ip_hash?: string;
  ua_hash?: string;
  privacy_signal?: boolean;
}

export interface Withdrawn {
  outcome: 'withdrawn' | 'erased' | 'unknown';
  leadId: string | null;
}

/** Safe to call again with the same request. */
export async function withdrawConsent(db: Db, request: Withdrawal): Promise<Withdrawn> {
  const { rows } = await db.query<{ withdrawn: Withdrawn }>({
    name: 'withdraw_consent',
    text: 'select withdraw_consent($1) as withdrawn',
    values: [JSON.stringify(request)],
  });
  return rows[0]!.withdrawn;
}

/** returns the lead's status afterwards, null when there is no such lead; inside inSites */
export async function recordConsent(
  db: Db,
  siteId: string,
  leadId: string,
  wanted: Record<string, unknown>,
): Promise<string | null> {
  const { rows } = await db.query<{ status: string | null }>('select record_consent($1, $2, $3) as status', [
    siteId,
    leadId,
    JSON.stringify(wanted),
  ]);
  return rows[0]!.status;
}

/** Implied consent whose term is over; a bite of 500 for each site and call. returns how many */
export async function expireConsents(pool: Pool, siteIds: string[], now = new Date()): Promise<number> {
  let expired = 0;
  for (const siteId of siteIds) {
    let bite: number;
    do {
      bite = await inSites(pool, siteId, async (db) => {
        const { rowCount } = await db.query(
          `select record_consent(site_id, lead_id, json_build_object('status', 'expired', 'basis', 'expiry', 'occurred_at', $2::timestamptz))
           from (select site_id, lead_id from leads where site_id = $1 and consent_status = 'implied' and consent_expires_at <= $2
             order by lead_id limit 500 for update skip locked) due`,
          [siteId, now],
        );
        return rowCount ?? 0;
      });
      expired += bite;
    } while (bite === 500);
  }
  return expired;
}

export interface ConsentText {
  textId: string;
  name: string;
  version: number;
  language: string;
  words: string;
  wordsSha256: string;
  createdAt: string;
}

const asText = (row: {
  text_id: string;
  name: string;
  version: number;
  language: string;
  words: string;
  words_hash: Buffer;
  created_at: Date;
}): ConsentText => ({
  textId: row.text_id,
  name: row.name,
  version: row.version,
  language: row.language,
  words: row.words,
  wordsSha256: row.words_hash.toString('hex'),
  createdAt: row.created_at.toISOString(),
});

export async function listConsentTexts(db: Db, siteId: string): Promise<ConsentText[]> {
  const { rows } = await db.query(
    "select * from consent_texts where site_id = $1 and origin = 'admin' order by name, language, version",
    [siteId],
  );
  return rows.map(asText);
}

/** Publishes the words as the next version of that name and language. */
export async function insertConsentText(
  db: Db,
  siteId: string,
  text: { name: string; language: string; words: string },
): Promise<ConsentText> {
  await db.query("select pg_advisory_xact_lock(hashtextextended('consent text ' || $1, 7))", [siteId]);
  const { rows } = await db.query(
    `insert into consent_texts (site_id, name, version, language, words, words_hash, origin)
     select $1, $2, coalesce(max(version), 0) + 1, $3, $4, sha256(convert_to($4, 'UTF8')), 'admin'
     from consent_texts where site_id = $1 and name = $2 and language = $3
     returning *`,
    [siteId, text.name, text.language, text.words],
  );
  return asText(rows[0]);
}

const CHAIN = `select r.site_id as "siteId", r.lead_id as "leadId", r.seq, r.action, r.status, r.kind, r.basis, encode(r.text_hash, 'hex') as "textSha256",
    r.privacy_signal as "privacySignal", instant_text(r.occurred_at) as "occurredAt", instant_text(r.recorded_at) as "recordedAt",
    instant_text(r.expires_at) as "expiresAt", encode(r.details_digest, 'hex') as "detailsDigest", encode(r.previous_hash, 'hex') as "previousHash",
    encode(r.hash, 'hex') as hash, encode(sha256(convert_to(t.words, 'UTF8')), 'hex') as "wordsSha256", t.words,
    case when d.record_id is not null then json_build_object('salt', encode(d.salt, 'hex'), 'email', d.email_normalized, 'textId', d.text_id,
      'language', d.language, 'policyVersion', d.policy_version, 'purposes', d.purposes, 'page', d.page, 'formName', d.form_name,
      'source', d.source, 'evidence', d.evidence, 'ipHash', encode(d.ip_hash, 'hex'), 'uaHash', encode(d.ua_hash, 'hex')) end as details
  from consent_records r
  left join consent_details d using (site_id, record_id)
  left join consent_texts t on t.site_id = d.site_id and t.text_id = d.text_id
  where r.site_id = $1 and r.lead_id = $2 order by r.seq`;

/** A lead's records with what is still known of each, and the exact words; inside inSites. */
export async function listConsentRecords(
  db: Db,
  siteId: string,
  leadId: string,
): Promise<(ConsentRecord & { words: string | null })[]> {
  return (await db.query<ConsentRecord & { words: string | null }>(CHAIN, [siteId, leadId])).rows;
}
