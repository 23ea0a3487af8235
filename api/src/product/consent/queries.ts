// The SQL door of consent.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';

/**
 * Writes down implied consent whose term is over, of every purpose; in bites. Nothing waits
 * for it: what is over counts as expired at the moment of reading.
 * returns  how many
 */
export async function expireConsents(pool: Pool, siteIds: string[], now = new Date()): Promise<number> {
  let expired = 0;
  for (const siteId of siteIds) {
    let after: { lead: string; seq: number } | null = null;
    do {
      const bite: { lead: string; seq: number }[] = await inSites(pool, siteId, (db) =>
        expireSome(db, siteId, now, after),
      );
      expired += bite.length;
      after = bite.length === BITE ? bite.at(-1)! : null;
    } while (after);
  }
  return expired;
}

const BITE = 500;

/** The records whose term is over and that still decide, after that one; each is followed by one of the end of its term. */
async function expireSome(db: Db, siteId: string, now: Date, after: { lead: string; seq: number } | null) {
  const { rows } = await db.query<{ lead: string; seq: number }>(
    `select due.lead, due.seq, record_consent($1, due.lead, json_build_object('status', 'expired', 'basis', 'expiry',
       'occurred_at', due.expires_at, 'purposes', json_build_array(due.purpose)))
     from (
       select r.lead_id as lead, r.seq, r.expires_at, purpose_of(r, d.purpose) as purpose
       from consent_records r join consent_details d using (site_id, record_id) join leads l on l.site_id = r.site_id and l.lead_id = r.lead_id
       where r.site_id = $1 and r.status = 'implied' and r.expires_at <= $2 and ($3::uuid is null or (r.lead_id, r.seq) > ($3, $4))
         and (consent_standing(r.site_id, r.lead_id, purpose_of(r, d.purpose))).seq = r.seq
       order by r.lead_id, r.seq limit ${BITE}
     ) due`,
    [siteId, now, after?.lead ?? null, after?.seq ?? null],
  );
  return rows;
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

/** By name, language and version. after: those of the last text of the page before */
export async function listConsentTexts(
  db: Db,
  siteId: string,
  after: [string, string, number] | null,
  limit: number,
): Promise<ConsentText[]> {
  const [name, language, version] = after ?? [null, null, null];
  const { rows } = await db.query(
    `select * from consent_texts where site_id = $1 and origin = 'admin'
       and ($2::text is null or (name, language, version) > ($2, $3, $4::integer))
     order by name, language, version limit $5`,
    [siteId, name, language, version, limit],
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
