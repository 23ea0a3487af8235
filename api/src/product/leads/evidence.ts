// The evidence of a lead's consent: every record with its exact words, and whether the chain is whole.
import { z } from 'zod';
import { inPieces } from '../../ground/db/pieces.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import { Members, streamedJson } from '../../ground/http/json-stream.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type ConsentRecord, chainCheck } from '../consent/chain.ts';
import { linkToken } from '../consent/link.ts';
import { consentRecordList, consentRecordShape, consentStatus } from '../consent/record.ts';
import type { LeadRow } from './shapes.ts';

export const evidenceShape = z
  .object({
    leadId: z.uuid(),
    email: z.string(),
    status: consentStatus,
    expiresAt: utc.nullable(),
    chain: z.object({
      valid: z.boolean(),
      faults: z.array(z.string()).describe('the first hundred'),
      length: z.int(),
      head: z.string().nullable(),
    }),
    records: z.array(consentRecordShape),
    unsubscribeUrl: z.string(),
    verify: z.string().describe('how anyone can compute the hashes again'),
  })
  .meta({ id: 'ConsentEvidence' });

const SEQ_MAX = 2 ** 31 - 1;
const VERIFY =
  'hash = SHA-256 of previousHash, siteId, leadId, seq, action, status, kind, basis, textSha256, privacySignal, occurredAt, recordedAt, expiresAt, detailsDigest; each field as <bytes>:<utf-8>; and an absent one as -; . detailsDigest = SHA-256 of the salt and, written likewise, email, textId, language, policyVersion, purposes, page, formName, source, evidence, ipHash, uaHash. textSha256 = SHA-256 of the words.';

interface Head {
  seq: number;
  hash: string | null;
  key: string;
  /** Records that the lead does not know of: added by another hand. */
  beyond: number;
}

async function headOf(db: Pool, { siteId, leadId }: LeadRow): Promise<Head> {
  const { rows } = await inSites(db, siteId, (client) =>
    client.query<Head>(
      `select consent_seq as seq, encode(consent_head, 'hex') as hash, unsubscribe_key as key,
         (select count(*) from consent_records r where r.site_id = $1 and r.lead_id = $2 and r.seq > consent_seq) as beyond
       from leads where site_id = $1 and lead_id = $2`,
      [siteId, leadId],
    ),
  );
  return rows[0]!;
}

/**
 * Streamed: the records are checked while they are sent, so what the check says comes after them.
 * publicUrl  where the links of mails lead
 */
export async function consentEvidence(db: Pool, lead: LeadRow, publicUrl: string): Promise<Reply> {
  const { siteId, leadId } = lead;
  const head = await headOf(db, lead);
  const check = chainCheck();
  // what is recorded meanwhile is not in this pack: its head was read before
  const known = { ...consentRecordList, where: `${consentRecordList.where} and t.seq <= $3` };
  async function* checked(): AsyncGenerator<string[]> {
    const upTo = head.beyond > 0 ? SEQ_MAX : head.seq;
    for await (const lines of inPieces(db, siteId, known, [siteId, leadId, upTo])) {
      for (const line of lines) check.see(JSON.parse(line) as ConsentRecord);
      yield lines;
    }
  }
  return streamedJson({
    leadId,
    email: lead.email,
    status: lead.consentStatus,
    expiresAt: lead.consentExpiresAt,
    records: new Members(checked()),
    chain() {
      const faults = check.end(head);
      return { valid: faults.length === 0, faults, length: check.length, head: head.hash };
    },
    unsubscribeUrl: `${publicUrl.replace(/\/$/, '')}/v1/unsubscribe/${linkToken(siteId, head.key)}`,
    verify: VERIFY,
  });
}
