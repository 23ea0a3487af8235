// What others do with consent: record it, withdraw it, and read a lead's records.
import { z } from 'zod';
import type { ListOf } from '../../ground/db/pieces.ts';
import type { Db } from '../../ground/db/pool.ts';
import { utc } from '../../ground/http/fields.ts';

export const consentStatus = z.enum(['pending', 'implied', 'express', 'withdrawn', 'expired']);

const digest = z.string().describe('SHA-256, hexadecimal');

export const consentRecordShape = z
  .object({
    siteId: z.uuid(),
    leadId: z.uuid(),
    seq: z.int(),
    purpose: z
      .enum(['email', 'all', 'other'])
      .nullable()
      .describe(
        'what for: email; all (a withdrawal of everything); other, which details.purpose names; null: from before there were purposes, of email (a withdrawal: of all)',
      ),
    action: z
      .enum([
        'requested',
        'not_given',
        'granted',
        'regranted',
        'renewed',
        'reaffirmed',
        'confirmed',
        'withdrawn',
        'expired',
        'imported',
      ])
      .describe(
        'requested: waits for its second step; not_given: a form that agreed to nothing, with the words beside its box',
      ),
    status: consentStatus,
    kind: z.enum(['none', 'express', 'implied_inquiry', 'implied_purchase', 'implied_other']),
    basis: z.enum([
      'form',
      'double_opt_in',
      'unsubscribe_link',
      'one_click',
      'unsubscribe_request',
      'self_service',
      'import',
      'expiry',
      'purchase',
      'admin',
    ]),
    textSha256: digest.nullable(),
    privacySignal: z.boolean(),
    occurredAt: utc,
    recordedAt: utc,
    expiresAt: utc.nullable(),
    detailsDigest: digest,
    previousHash: digest.nullable(),
    hash: digest,
    wordsSha256: digest.nullable(),
    words: z.string().nullable().describe('exactly what was shown'),
    details: z
      .object({
        salt: z.string(),
        email: z.string(),
        textId: z.uuid().nullable(),
        language: z.string().nullable(),
        policyVersion: z.string().nullable(),
        purposes: z.string().nullable(),
        page: z.string().nullable(),
        formName: z.string().nullable(),
        source: z.string().nullable(),
        evidence: z.string().nullable(),
        ipHash: z.string().nullable(),
        uaHash: z.string().nullable(),
        purpose: z.string().nullable(),
        sender: z
          .object({
            name: z.string().nullable(),
            address: z.string().nullable(),
            contact: z.string().nullable(),
          })
          .nullable()
          .describe('who asked, as the site said it then'),
      })
      .nullable()
      .describe('null: forgotten by an erasure; its digest still stands in the chain'),
  })
  .meta({ id: 'ConsentRecord' });

export interface Withdrawal {
  site_id: string;
  request_id: string;
  at: string;
  basis: 'unsubscribe_link' | 'one_click' | 'unsubscribe_request' | 'self_service' | 'admin';
  key?: string;
  email_normalized?: string;
  email_hash?: string;
  /** Absent: all. */
  purposes?: string[] | undefined;
  reason?: string | undefined;
  ip_hash?: string;
  ua_hash?: string;
  privacy_signal?: boolean;
}

export interface Withdrawn {
  outcome: 'withdrawn' | 'erased' | 'unknown';
  leadId: string | null;
  /** It had withdrawn before: nothing was written. */
  again: boolean;
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

/** Many at once, in one transaction. */
export async function withdrawConsents(db: Db, requests: Withdrawal[]): Promise<void> {
  if (requests.length > 0)
    await db.query('select withdraw_consent(request) from json_array_elements($1) request', [
      JSON.stringify(requests),
    ]);
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

export const standingShape = z
  .object({
    purpose: z.string(),
    status: consentStatus,
    since: utc.nullable(),
    expiresAt: utc.nullable(),
  })
  .meta({ id: 'ConsentStanding' });
export type Standing = z.output<typeof standingShape>;

/** Where a lead stands now for each purpose that was ever named, email first; inside inSites. */
export async function consentStandings(db: Db, siteId: string, leadId: string): Promise<Standing[]> {
  const { rows } = await db.query<Standing>(
    `select purpose, status, instant_text(case status when 'expired' then coalesce(expires_at, since) else since end) as since,
       instant_text(expires_at) as "expiresAt" from consent_standings($1, $2)`,
    [siteId, leadId],
  );
  return rows;
}

/** A lead's records with what is still known of each, and the exact words. $2: the lead */
export const consentRecordList: ListOf = {
  table: 'consent_records',
  where: 't.site_id = $1 and t.lead_id = $2',
  joins: `left join consent_details d using (site_id, record_id)
    left join consent_texts w on w.site_id = d.site_id and w.text_id = d.text_id`,
  columns: `t.site_id as "siteId", t.lead_id as "leadId", t.seq, t.purpose, t.action, t.status, t.kind, t.basis, encode(t.text_hash, 'hex') as "textSha256",
    t.privacy_signal as "privacySignal", instant_text(t.occurred_at) as "occurredAt", instant_text(t.recorded_at) as "recordedAt",
    instant_text(t.expires_at) as "expiresAt", encode(t.details_digest, 'hex') as "detailsDigest", encode(t.previous_hash, 'hex') as "previousHash",
    encode(t.hash, 'hex') as hash, encode(sha256(convert_to(w.words, 'UTF8')), 'hex') as "wordsSha256", w.words,
    case when d.record_id is not null then json_build_object('salt', encode(d.salt, 'hex'), 'email', d.email_normalized, 'textId', d.text_id,
      'language', d.language, 'policyVersion', d.policy_version, 'purposes', d.purposes, 'page', d.page, 'formName', d.form_name,
      'source', d.source, 'evidence', d.evidence, 'ipHash', encode(d.ip_hash, 'hex'), 'uaHash', encode(d.ua_hash, 'hex'),
       'purpose', d.purpose, 'sender', case when num_nonnulls(d.sender_name, d.sender_address, d.sender_contact) > 0 then
         json_build_object('name', d.sender_name, 'address', d.sender_address, 'contact', d.sender_contact) end) end as details`,
  key: [['seq', 'integer']],
  newestFirst: false,
};
