// The evidence of a lead's consent: every record with its exact words, who asked and how, and whether the chain is whole.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import type { Site } from '../../ground/site.ts';
import { chainFaults } from '../consent/chain.ts';
import { unsubscribeUrl } from '../consent/link.ts';
import {
  consentRecordShape,
  consentStandings,
  consentStatus,
  listConsentRecords,
  standingShape,
} from '../consent/record.ts';
import type { LeadRow } from './shapes.ts';

const optInShape = z
  .object({
    requestedAt: utc,
    purposes: z.array(z.string()),
    words: z.string().nullable(),
    mails: z.array(z.object({ queuedAt: utc, sentAt: utc.nullable() })),
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
      faults: z.array(z.string()),
      length: z.int(),
      head: z.string().nullable(),
    }),
    records: z.array(consentRecordShape),
    optIns: z
      .array(optInShape)
      .describe('requests that a mail asked to confirm; of those never confirmed the last 30 days'),
    unsubscribeUrl: z.string(),
    verify: z.string().describe('how anyone can compute the hashes again'),
  })
  .meta({ id: 'ConsentEvidence' });

const VERIFY =
  'hash = SHA-256 of previousHash, siteId, leadId, seq, action, status, kind, basis, textSha256, privacySignal, occurredAt, recordedAt, expiresAt, detailsDigest, and purpose where the record has one; each field as <bytes>:<utf-8>; and an absent one as -; . detailsDigest = SHA-256 of the salt and, written likewise, email, textId, language, policyVersion, purposes, page, formName, source, evidence, ipHash, uaHash, and where the record has a purpose also details.purpose, sender.name, sender.address, sender.contact. textSha256 = SHA-256 of the words.';

/** publicUrl  where the links of mails lead */
export async function consentEvidence(db: Pool, site: Site, lead: LeadRow, publicUrl: string) {
  const { siteId, leadId } = lead;
  const { records, purposes, optIns, head } = await inSites(db, siteId, async (client) => {
    const { rows } = await client.query<{ seq: number; hash: string | null; key: string }>(
      `select consent_seq as seq, encode(consent_head, 'hex') as hash, unsubscribe_key as key from leads where site_id = $1 and lead_id = $2`,
      [siteId, leadId],
    );
    return {
      records: await listConsentRecords(client, siteId, leadId),
      purposes: await consentStandings(client, siteId, leadId),
      optIns: await listOptIns(client, siteId, leadId),
      head: rows[0]!,
    };
  });
  const faults = chainFaults(records, head);
  const { key, name, domain, settings } = site;
  return {
    leadId,
    email: lead.email,
    site: {
      siteId,
      key,
      name,
      domain,
      policyUrl: typeof settings.policyUrl === 'string' ? settings.policyUrl : null,
    },
    status: lead.consentStatus,
    expiresAt: lead.consentExpiresAt,
    purposes,
    chain: { valid: faults.length === 0, faults, length: records.length, head: head.hash },
    records,
    optIns,
    unsubscribeUrl: unsubscribeUrl(publicUrl, siteId, head.key),
    verify: VERIFY,
  };
}

/** Oldest first, each with the mails that went out for it. */
async function listOptIns(db: Db, siteId: string, leadId: string): Promise<z.output<typeof optInShape>[]> {
  const { rows } = await db.query<z.output<typeof optInShape>>(
    `select instant_text(o.requested_at) as "requestedAt", purposes_of(o.request) as purposes,
       coalesce(t.words, o.request ->> 'words') as words, instant_text(o.confirmed_at) as "confirmedAt", instant_text(o.cancelled_at) as "cancelledAt",
       coalesce((select json_agg(json_build_object('queuedAt', instant_text(m.queued_at), 'sentAt', instant_text(m.sent_at)) order by m.queued_at)
         from outgoing_mails m where m.site_id = o.site_id and m.opt_in_id = o.opt_in_id), '[]') as mails
     from opt_ins o left join consent_texts t on t.site_id = o.site_id and t.text_id = (o.request ->> 'text_id')::uuid
     where o.site_id = $1 and o.lead_id = $2 order by o.requested_at`,
    [siteId, leadId],
  );
  return rows;
}
