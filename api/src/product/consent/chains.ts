// Every chain of consent records and of who may be named, checked as anyone outside could, one record after the other; and one root of them all,
// which a backup carries away: whoever rewrites history then needs more than the database.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { inPieces } from '../../ground/db/pieces.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { type ConsentRecord, chainCheck, netstrings } from './chain.ts';
import { eachDisplayChain } from './display-chains.ts';
import { consentRecordList } from './record.ts';

const BROKEN_NAMED_MAX = 20;

export const chainsOptions = z.object({
  at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('the root as it was at that moment, to compare with a manifest; default: now'),
});

export interface ChainsChecked {
  leads: number;
  /** Of consent and of who may be named. */
  records: number;
  /** Leads whose chain is not whole. */
  broken: number;
  /** The first of them, with the first fault of each. */
  brokenLeads: { siteId: string; leadId: string; fault: string }[];
  /**
   * SHA-256 of site, lead and newest hash of every chain, in order, of records written by rootAt; after a site's chains of
   * consent those of who may be named, each behind the word display.
   */
  root: string;
  rootAt: string;
}

type Seen = ConsentRecord & { headSeq: number | null; head: string | null };

/** All of a site's, lead by lead; each row with what its lead knows of the chain at that moment (null: erased). */
const SITE_CHAINS = {
  ...consentRecordList,
  where: 't.site_id = $1',
  joins: `${consentRecordList.joins} left join leads l on l.site_id = t.site_id and l.lead_id = t.lead_id`,
  columns: `${consentRecordList.columns}, l.consent_seq as "headSeq", encode(l.consent_head, 'hex') as head`,
  key: [
    ['lead_id', 'uuid'],
    ['seq', 'integer'],
  ],
} as const;

/**
 * Streamed in pieces: what is recorded meanwhile is either all in a lead's chain or not yet, as its head says.
 * at      only records written by then are in the root
 * throws  when signal is aborted: a root of some chains is none
 */
export async function checkChains(
  db: Pool,
  siteIds: string[],
  { at = new Date(), signal }: { at?: Date; signal?: AbortSignal | undefined } = {},
): Promise<ChainsChecked> {
  const rootAt = at.toISOString();
  const found: ChainsChecked = { leads: 0, records: 0, broken: 0, brokenLeads: [], root: '', rootAt };
  const root = createHash('sha256');
  const note = (siteId: string, leadId: string, fault: string) => {
    found.broken += 1;
    if (found.brokenLeads.length < BROKEN_NAMED_MAX) found.brokenLeads.push({ siteId, leadId, fault });
  };
  for (const siteId of [...siteIds].sort()) {
    let last: Seen | null = null;
    let check = chainCheck();
    let standing: string | null = null;
    const end = () => {
      if (!last) return;
      found.leads += 1;
      const { leadId, headSeq, head } = last;
      const [fault] = check.end(headSeq === null ? undefined : { seq: headSeq, hash: head });
      if (fault) note(siteId, leadId, fault);
      if (standing) root.update(netstrings([siteId, leadId, standing]));
    };
    for await (const lines of inPieces(db, siteId, SITE_CHAINS, [siteId])) {
      if (signal?.aborted) throw new Error('stopped before every chain was seen');
      for (const line of lines) {
        const record = JSON.parse(line) as Seen;
        if (record.leadId !== (last as Seen | null)?.leadId) {
          end();
          check = chainCheck();
          standing = null;
        }
        check.see(record);
        if (record.recordedAt <= rootAt) standing = record.hash;
        last = record;
        found.records += 1;
      }
    }
    end();
    await eachDisplayChain(db, siteId, rootAt, ({ leadId, records, standing: newest, fault }) => {
      found.records += records;
      if (fault) note(siteId, leadId, fault);
      if (newest) root.update(netstrings(['display', siteId, leadId, newest]));
    });
    for (const leadId of await withoutRecords(db, siteId)) note(siteId, leadId, 'every record of it is gone');
  }
  return { ...found, root: root.digest('hex') };
}

/** Leads that know of records of which none is left. */
async function withoutRecords(db: Pool, siteId: string): Promise<string[]> {
  const { rows } = await inSites(db, siteId, (client) =>
    client.query<{ leadId: string }>(
      `select l.lead_id as "leadId" from leads l where l.site_id = $1 and l.consent_seq > 0
         and not exists (select from consent_records r where r.site_id = $1 and r.lead_id = l.lead_id) limit 1000`,
      [siteId],
    ),
  );
  return rows.map(({ leadId }) => leadId);
}
