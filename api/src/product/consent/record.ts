// What others do with consent: record it, withdraw it, and read a lead's records.
import type { Db } from '../../ground/db/pool.ts';
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
