// Manual identity links: an admin says that a visitor is a lead, and can take it back exactly.
import type { Db } from '../../ground/db/pool.ts';

export interface Link {
  identityId: string;
  leadId: string;
  visitorId: string;
  linkSource: 'manual_merge';
  confidence: number;
}

const AS_LINK = `identity_id as "identityId", lead_id as "leadId", visitor_id as "visitorId", link_source as "linkSource", confidence`;

/**
 * Adds an edge beside those there are: nothing is replaced, so taking it back restores exactly what was before.
 * returns  null when the site has no such lead or visitor; created false when the edge was there already
 */
export async function mergeIdentity(
  db: Db,
  siteId: string,
  leadId: string,
  visitorId: string,
): Promise<{ link: Link; created: boolean } | null> {
  const { rows } = await db.query<Link>(
    `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence)
     select l.site_id, l.lead_id, v.visitor_id, 'manual_merge', 1 from leads l join visitors v on v.site_id = l.site_id
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

/** Undoes a manual edge; it stays as history. returns false when there is none that is active */
export async function unmergeIdentity(
  db: Db,
  siteId: string,
  leadId: string,
  visitorId: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update lead_identities set unlinked_at = clock_timestamp()
     where site_id = $1 and lead_id = $2 and visitor_id = $3 and link_source = 'manual_merge' and unlinked_at is null`,
    [siteId, leadId, visitorId],
  );
  return Boolean(rowCount);
}
