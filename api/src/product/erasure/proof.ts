// What is left of somebody who was erased: that it was done, and the chain of their consent: hashes, acts and times, never whose.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';

const recordShape = z
  .object({
    seq: z.int(),
    purpose: z.string().nullable().describe('null: of a record older than purposes'),
    action: z.string(),
    status: z.string(),
    kind: z.string().nullable(),
    basis: z.string(),
    occurredAt: utc,
    recordedAt: utc,
    textSha256: z.string().nullable().describe('of the words that were agreed to'),
    detailsDigest: z.string().describe('of what is gone: whose it was, from where'),
    previousHash: z.string().nullable(),
    hash: z.string(),
  })
  .meta({ id: 'ProofRecord' });

export const proofShape = z
  .object({
    siteId: z.uuid(),
    erasureId: z.uuid(),
    erasedAt: utc,
    cause: z
      .enum(['request', 'time'])
      .nullable()
      .describe('whether somebody asked, or its time was over; null: of before this was kept'),
    erased: z.record(z.string(), z.int()).describe('rows per table'),
    consents: z.array(recordShape).describe('the first thousand'),
  })
  .meta({ id: 'ErasureProof' });

const RECORDS_MAX = 1000;
const PROOFS_MAX = 100;

/** emailHash  keyed, as \x…. returns  the newest hundred */
export async function proofsOf(
  db: Pool,
  siteId: string,
  emailHash: string,
): Promise<z.output<typeof proofShape>[]> {
  const { rows } = await inSites(db, siteId, (tx) =>
    tx.query<z.output<typeof proofShape>>(
      `select e.site_id as "siteId", e.erasure_id as "erasureId", instant_text(e.erased_at) as "erasedAt", e.cause, e.erased,
         coalesce((select json_agg(record order by seq) from (
           select seq, json_build_object('seq', seq, 'purpose', purpose, 'action', action, 'status', status, 'kind', kind, 'basis', basis,
             'occurredAt', instant_text(occurred_at), 'recordedAt', instant_text(recorded_at), 'textSha256', encode(text_hash, 'hex'),
             'detailsDigest', encode(details_digest, 'hex'), 'previousHash', encode(previous_hash, 'hex'), 'hash', encode(hash, 'hex')) as record
           from consent_records r where r.site_id = e.site_id and r.lead_id = e.lead_id order by seq limit ${RECORDS_MAX}) kept), '[]') as consents
       from erasures e where e.site_id = $1 and e.email_hash = $2::bytea and e.erased <> '{}'
       order by e.erased_at desc limit ${PROOFS_MAX}`,
      [siteId, emailHash],
    ),
  );
  return rows;
}
