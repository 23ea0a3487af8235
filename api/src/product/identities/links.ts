// Manual identity links: an admin says that a visitor is a lead, and can take it back exactly.
import type { Db } from '../../ground/db/pool.ts';

export type LinkSource = 'form_submit' | 'same_ip_ua_window' | 'manual_merge';

export interface Link {
  identityId: string;
  leadId: string;
  visitorId: string;
  linkSource: LinkSource;
  confidence: number;
}

const AS_LINK = `identity_id as "identityId", lead_id as "leadId", visitor_id as "visitorId", link_source as "linkSource", confidence`;

/**
 * Adds an edge beside those there are: nothing is replaced, so taking it back restores exactly what was before. Of a lead that
 * left, only what was before joins it.
 * returns  null when the site has no such lead or visitor; created false when the edge was there already
 */
export async function mergeIdentity(
  db: Db,
  siteId: string,
  leadId: string,
  visitorId: string,
): Promise<{ link: Link; created: boolean } | null> {
  const { rows } = await db.query<Link>(
    `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, ended_at)
     select l.site_id, l.lead_id, v.visitor_id, 'manual_merge', 1, left_at(l.site_id, l.lead_id) from leads l join visitors v on v.site_id = l.site_id
     where l.site_id = $1 and l.lead_id = $2 and v.visitor_id = $3
     on conflict (site_id, lead_id, visitor_id, link_source) where unlinked_at is null do nothing
     returning ${AS_LINK}`,
    [siteId, leadId, visitorId],
  );
  if (rows[0]) return { link: rows[0], created: true };
  const known = await db.query<Link>(
    `select ${AS_LINK} from lead_identities where site_id = $1 and lead_id = $2 and visitor_id = $3 and link_source = 'manual_merge' and unlinked_at is null`,
    [siteId, leadId, visitorId],
  );
  return known.rows[0] ? { link: known.rows[0], created: false } : null;
}

/**
 * Undoes what an admin said, or where nothing was said, or by name, what else ties the two; it stays as history, and no
 * capture makes it again.
 * returns which links were undone
 */
export async function unmergeIdentity(
  db: Db,
  siteId: string,
  leadId: string,
  visitorId: string,
  linkSource: LinkSource | undefined,
): Promise<LinkSource[]> {
  const { rows } = await db.query<{ source: LinkSource }>(
    `update lead_identities i set unlinked_at = clock_timestamp()
     where site_id = $1 and lead_id = $2 and visitor_id = $3 and unlinked_at is null
       and case when $4::text is not null then link_source = $4
         else link_source = 'manual_merge' or not exists (select from lead_identities m where m.site_id = $1 and m.lead_id = $2
           and m.visitor_id = $3 and m.link_source = 'manual_merge' and m.unlinked_at is null) end
     returning link_source as source`,
    [siteId, leadId, visitorId, linkSource ?? null],
  );
  return rows.map(({ source }) => source).sort();
}

/** All of a lead's browsers, for good. returns how many links were undone */
export async function unlinkAll(db: Db, siteId: string, leadId: string): Promise<number> {
  const { rowCount } = await db.query(
    'update lead_identities set unlinked_at = clock_timestamp() where site_id = $1 and lead_id = $2 and unlinked_at is null',
    [siteId, leadId],
  );
  return rowCount ?? 0;
}

/** What its browsers do from now on joins the lead no more. */
export async function endLinks(db: Db, siteId: string, leadId: string): Promise<void> {
  await db.query(
    `update lead_identities set ended_at = clock_timestamp()
     where site_id = $1 and lead_id = $2 and unlinked_at is null and ended_at is null`,
    [siteId, leadId],
  );
}

/** Whether a lead asked that it is not tied to browsers, or left alone. */
export async function isLeftAlone(db: Db, siteId: string, leadId: string): Promise<boolean> {
  const { rows } = await db.query<{ left: boolean }>(
    'select no_profiling or restricted as left from leads where site_id = $1 and lead_id = $2',
    [siteId, leadId],
  );
  return rows[0]?.left ?? false;
}
