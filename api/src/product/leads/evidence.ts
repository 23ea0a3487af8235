// The evidence of a lead's consent: every record with its exact words, who asked and how, and whether the chain is whole.
import { z } from 'zod';
import { inPieces } from '../../ground/db/pieces.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import { Members, streamedJson } from '../../ground/http/json-stream.ts';
import type { Reply } from '../../ground/http/reply.ts';
import type { Site } from '../../ground/site.ts';
import { type ConsentRecord, chainCheck } from '../consent/chain.ts';
import { unsubscribeUrl } from '../consent/link.ts';
import {
  consentRecordList,
  consentRecordShape,
  consentStandings,
  consentStatus,
  standingShape,
} from '../consent/record.ts';
import type { LeadRow } from './shapes.ts';

const optInShape = z
  .object({
    requestedAt: utc,
    purposes: z.array(z.string()),
    words: z.string().nullable(),
    mails: z.array(z.object({ queuedAt: utc, sentAt: utc.nullable() })).describe('kept for 30 days'),
    confirmedAt: utc.nullable(),
    cancelledAt: utc.nullable().describe('withdrawn before it was confirmed'),
  })
  .meta({ id: 'OptInEvidence' });

export const evidenceShape = z
  .object({
    leadId: z.uuid(),
    email: z.string(),
    site: z.object({
      siteId: z.uuid(),
      key: z.string(),
      name: z.string(),
      domain: z.string().nullable(),
      policyUrl: z.string().nullable(),
    }),
    status: consentStatus.describe('of email, at this moment'),
    expiresAt: utc.nullable(),
    purposes: z.array(standingShape),
    chain: z.object({
      valid: z.boolean(),
      faults: z.array(z.string()).describe('the first hundred'),
      length: z.int(),
      head: z.string().nullable(),
    }),
    records: z.array(consentRecordShape),
    optIns: z
      .array(optInShape)
      .describe(
        'the newest hundred requests that a mail asked to confirm; those never confirmed for 30 days',
      ),
    unsubscribeUrl: z.string(),
    verify: z.string().describe('how anyone can compute the hashes again'),
  })
  .meta({ id: 'ConsentEvidence' });

const SEQ_MAX = 2 ** 31 - 1;
const VERIFY =
  'hash = SHA-256 of previousHash, siteId, leadId, seq, action, status, kind, basis, textSha256, privacySignal, occurredAt, recordedAt, expiresAt, detailsDigest, and purpose where the record has one; each field as <bytes>:<utf-8>; and an absent one as -; . detailsDigest = SHA-256 of the salt and, written likewise, email, textId, language, policyVersion, purposes, page, formName, source, evidence, ipHash, uaHash, and where the record has a purpose also details.purpose, sender.name, sender.address, sender.contact. textSha256 = SHA-256 of the words.';

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
export async function consentEvidence(
  db: Pool,
  site: Site,
  lead: LeadRow,
  publicUrl: string,
): Promise<Reply> {
  const { siteId, leadId } = lead;
  const head = await headOf(db, lead);
  const [purposes, optIns] = await inSites(db, siteId, async (client) => [
    await consentStandings(client, siteId, leadId),
    await listOptIns(client, siteId, leadId),
  ]);
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
    site: siteFacts(site),
    status: lead.consentStatus,
    expiresAt: lead.consentExpiresAt,
    purposes,
    records: new Members(checked()),
    chain() {
      const faults = check.end(head);
      return { valid: faults.length === 0, faults, length: check.length, head: head.hash };
    },
    optIns,
    unsubscribeUrl: unsubscribeUrl(publicUrl, siteId, head.key),
    verify: VERIFY,
  });
}

const siteFacts = ({ siteId, key, name, domain, settings: { policyUrl } }: Site) => ({
  siteId,
  key,
  name,
  domain,
  policyUrl: typeof policyUrl === 'string' ? policyUrl : null,
});

/** Oldest first, each with the mails that went out for it. */
async function listOptIns(db: Db, siteId: string, leadId: string): Promise<z.output<typeof optInShape>[]> {
  const { rows } = await db.query<z.output<typeof optInShape>>(
    `select instant_text(o.requested_at) as "requestedAt", purposes_of(o.request) as purposes,
       coalesce(t.words, o.request ->> 'words') as words, instant_text(o.confirmed_at) as "confirmedAt", instant_text(o.cancelled_at) as "cancelledAt",
       coalesce((select json_agg(json_build_object('queuedAt', instant_text(m.queued_at), 'sentAt', instant_text(m.sent_at)) order by m.queued_at)
         from outgoing_mails m where m.site_id = o.site_id and m.lead_id = o.lead_id and m.opt_in_id = o.opt_in_id), '[]') as mails
     from (select * from opt_ins where site_id = $1 and lead_id = $2 order by requested_at desc limit 100) o
     left join consent_texts t on t.site_id = o.site_id and t.text_id = (o.request ->> 'text_id')::uuid
     order by o.requested_at`,
    [siteId, leadId],
  );
  return rows;
}
