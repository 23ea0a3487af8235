// The evidence of a lead's consent: every record with its exact words, and whether the chain is whole.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import { chainFaults } from '../consent/chain.ts';
import { linkToken } from '../consent/link.ts';
import { consentRecordShape, consentStatus, listConsentRecords } from '../consent/record.ts';
import type { LeadRow } from './shapes.ts';

export const evidenceShape = z
  .object({
    leadId: z.uuid(),
    email: z.string(),
    status: consentStatus,
    expiresAt: utc.nullable(),
    chain: z.object({
      valid: z.boolean(),
      faults: z.array(z.string()),
      length: z.int(),
      head: z.string().nullable(),
    }),
    records: z.array(consentRecordShape),
    unsubscribeUrl: z.string(),
    verify: z.string().describe('how anyone can compute the hashes again'),
  })
  .meta({ id: 'ConsentEvidence' });

const VERIFY =
  'hash = SHA-256 of previousHash, siteId, leadId, seq, action, status, kind, basis, textSha256, privacySignal, occurredAt, recordedAt, expiresAt, detailsDigest; each field as <bytes>:<utf-8>; and an absent one as -; . detailsDigest = SHA-256 of the salt and, written likewise, email, textId, language, policyVersion, purposes, page, formName, source, evidence, ipHash, uaHash. textSha256 = SHA-256 of the words.';

/** publicUrl  where the links of mails lead */
export async function consentEvidence(db: Pool, lead: LeadRow, publicUrl: string) {
  const { siteId, leadId } = lead;
  const { records, head } = await inSites(db, siteId, async (client) => {
    const { rows } = await client.query<{ seq: number; hash: string | null; key: string }>(
      `select consent_seq as seq, encode(consent_head, 'hex') as hash, unsubscribe_key as key from leads where site_id = $1 and lead_id = $2`,
      [siteId, leadId],
    );
    return { records: await listConsentRecords(client, siteId, leadId), head: rows[0]! };
  });
  const faults = chainFaults(records, head);
  return {
    leadId,
    email: lead.email,
    status: lead.consentStatus,
    expiresAt: lead.consentExpiresAt,
    chain: { valid: faults.length === 0, faults, length: records.length, head: head.hash },
    records,
    unsubscribeUrl: `${publicUrl.replace(/\/$/, '')}/v1/unsubscribe/${linkToken(siteId, head.key)}`,
    verify: VERIFY,
  };
}
