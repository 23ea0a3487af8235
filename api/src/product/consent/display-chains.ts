// The chains of who may be named on the site, checked beside those of consent (chains.ts): hashed again, record by record.
import { eachRow } from '../../ground/db/each-row.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';

export interface DisplayChain {
  leadId: string;
  records: number;
  /** Hex: the newest hash of those written by the moment that was asked; null: none was. */
  standing: string | null;
  /** The first thing that is wrong with it, in words. */
  fault: string | null;
}

const CHAINS = `select lead_id as "leadId", count(*)::int as records,
    encode((array_agg(hash order by seq desc) filter (where recorded_at <= $2))[1], 'hex') as standing,
    (array_agg(fault order by seq) filter (where fault is not null))[1] as fault
  from (
    select c.lead_id, c.seq, c.hash, c.recorded_at,
      case
        when c.seq <> row_number() over chain then 'display record ' || c.seq || ': ' || row_number() over chain || ' was expected'
        when c.previous_hash is distinct from lag(c.hash) over chain then 'display record ' || c.seq || ': does not follow the one before it'
        when c.hash <> display_hash(c) then 'display record ' || c.seq || ': was changed'
        when d.record_id is not null and display_details_digest(d) is distinct from c.details_digest then 'display record ' || c.seq || ': its details were changed'
        when w.words is not null and sha256(convert_to(w.words, 'UTF8')) <> w.words_hash then 'display record ' || c.seq || ': the words are not those that were shown'
      end as fault
    from display_consents c left join display_details d on d.site_id = c.site_id and d.record_id = c.record_id
      left join display_words w on w.site_id = c.site_id and w.words_hash = c.words_hash
    where c.site_id = $1 window chain as (partition by c.lead_id order by c.seq)) records
  group by lead_id order by lead_id`;

/** Of one site, in the order of its leads; at: an ISO instant. */
export const eachDisplayChain = (
  db: Pool,
  siteId: string,
  at: string,
  onChain: (chain: DisplayChain) => void,
): Promise<void> =>
  inSites(db, siteId, (client) => eachRow(client, { text: CHAINS, values: [siteId, at] }, onChain));
