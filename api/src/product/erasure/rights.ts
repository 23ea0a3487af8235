// What a person may ask beside access and erasure: not to be profiled, to be left alone, to be corrected.
import type { Db } from '../../ground/db/pool.ts';
import type { Address } from '../../ground/lib/email.ts';
import { domainClass } from '../captures/domains.ts';
import { endLinks, unlinkAll } from '../identities/links.ts';
import { answered } from '../requests/register.ts';

export interface Restriction {
  noProfiling: boolean;
  restricted: boolean;
}

/**
 * An objection to profiling undoes every link for good, a restriction ends them: what their browsers do from then on joins
 * nobody. Taken back, links to other browsers are made again from the next form on.
 * returns how it is now, and how many links were undone
 */
export async function restrictLead(
  db: Db,
  siteId: string,
  leadId: string,
  { profiling, all }: { profiling?: boolean | undefined; all?: boolean | undefined },
): Promise<Restriction & { linksUndone: number }> {
  const { rows } = await db.query<Restriction>(
    `update leads set no_profiling = coalesce($3, no_profiling), restricted = coalesce($4, restricted)
     where site_id = $1 and lead_id = $2 returning no_profiling as "noProfiling", restricted`,
    [siteId, leadId, profiling ?? null, all ?? null],
  );
  if (all) await endLinks(db, siteId, leadId);
  return { ...rows[0]!, linksUndone: profiling ? await unlinkAll(db, siteId, leadId) : 0 };
}

export interface Correction {
  before: string;
  beforeHash: string;
  after: Address;
  afterHash: string;
  receivedAt: Date;
  evidence: string | null;
}

/**
 * Chain, history and first touch stay the lead's; the request for it is answered. Whoever unsubscribed by the new address, and
 * agreed to nothing since, is unsubscribed.
 * how      by which way it was asked for, for the register
 * returns  false when another lead has the new address
 */
export async function correctAddress(
  db: Db,
  siteId: string,
  leadId: string,
  { before, beforeHash, after, afterHash, receivedAt, evidence }: Correction,
  how?: string,
): Promise<boolean> {
  // both addresses, in one order, as whoever writes about one takes it first
  await db.query(
    "select pg_advisory_xact_lock(hashtextextended($1 || ' ' || address, 7)) from unnest($2::text[]) as a (address)",
    [siteId, [before, after.normalized].sort()],
  );
  const { rowCount } = await db.query(
    `update leads set email = $3, email_normalized = $4, email_domain = $5, domain_class = $6
     where site_id = $1 and lead_id = $2
       and not exists (select from leads o where o.site_id = $1 and o.email_normalized = $4 and o.lead_id <> $2)`,
    [siteId, leadId, after.email, after.normalized, after.domain, domainClass(after.domain)],
  );
  if (!rowCount) return false;
  // what they sent by the old one and nobody has looked at yet is theirs too
  await db.query(
    `update quarantine set email_normalized = $3, capture = (capture::jsonb || $4::jsonb)::json
     where site_id = $1 and email_normalized = $2 and decision is null`,
    [
      siteId,
      before,
      after.normalized,
      JSON.stringify({
        email: after.email,
        email_normalized: after.normalized,
        email_domain: after.domain,
        domain_class: domainClass(after.domain),
        email_hash: afterHash,
      }),
    ],
  );
  // what the new address asked for while it was nobody's
  await db.query('select recall_withdrawal($1, $2, $3)', [siteId, leadId, afterHash]);
  await noteCorrection(db, siteId, leadId, beforeHash, evidence);
  // they ask by this one from now on
  const entry = { siteId, kind: 'correction', emailHash: afterHash, how } as const;
  await answered(db, { ...entry, receivedAt: receivedAt.toISOString() }, beforeHash);
  return true;
}

/** Into the lead's own history. */
async function noteCorrection(
  db: Db,
  siteId: string,
  leadId: string,
  beforeHash: string,
  evidence: string | null,
): Promise<void> {
  await db.query(
    'insert into lead_rectifications (site_id, lead_id, email_hash, evidence) values ($1, $2, $3, $4)',
    [siteId, leadId, beforeHash, evidence],
  );
}

/** What a lead is called: beside what forms and imports brought, which stay as they came. */
export async function correctName(
  db: Db,
  siteId: string,
  leadId: string,
  {
    name,
    emailHash,
    receivedAt,
    evidence,
  }: { name: string; emailHash: string; receivedAt: Date; evidence: string },
): Promise<void> {
  await db.query(
    `update leads set attributes = coalesce(attributes, '{}') || jsonb_build_object('name', $3::text)
     where site_id = $1 and lead_id = $2`,
    [siteId, leadId, name],
  );
  await noteCorrection(db, siteId, leadId, emailHash, evidence);
  const entry = { siteId, kind: 'correction', emailHash, how: evidence } as const;
  await answered(db, { ...entry, receivedAt: receivedAt.toISOString() });
}
