// In which language a person agreed: so they are spoken to, whatever link of ours they come by.
import type { Db } from '../../ground/db/pool.ts';
import { type Language, readLanguage } from '../../ground/words/language.ts';

/** SQL, of the lead l: the one said last. */
export const LANGUAGE_AGREED_IN = `(select d.language from consent_records r join consent_details d using (site_id, record_id)
  where r.site_id = l.site_id and r.lead_id = l.lead_id and d.language is not null order by r.seq desc limit 1)`;

/** Of whoever has this link; undefined: nobody has, or they never said. Inside inSites. */
export async function languageOfLink(db: Db, siteId: string, key: string): Promise<Language | undefined> {
  const { rows } = await db.query<{ language: string | null }>(
    `select ${LANGUAGE_AGREED_IN} as language from leads l where site_id = $1 and unsubscribe_key = $2`,
    [siteId, key],
  );
  return readLanguage(rows[0]?.language);
}
