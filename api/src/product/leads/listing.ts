// Leads as administrators see them: a page of a list, one by its id, one by its address.
import type { Db } from '../../ground/db/pool.ts';
import type { LeadRow } from './shapes.ts';

export interface LeadFilter {
  /** Part of an address. */
  q?: string | undefined;
  source?: string | undefined;
  consent?: string | undefined;
  domainClass?: string | undefined;
  /** The site's days of the first capture, both inclusive. */
  from?: string | undefined;
  to?: string | undefined;
  /** What a capture was answered with, also of one that was held back and released. */
  submissionId?: string | undefined;
}

export interface Cursor {
  at: string;
  leadId: string;
}

const LEAD = `lead_id as "leadId", email, email_domain as "emailDomain", domain_class as "domainClass",
  instant_text(first_captured_at) as "firstCapturedAt", instant_text(last_submitted_at) as "lastSubmittedAt", first_source as "firstSource",
  first_utm as "firstUtm", first_path as "firstPath", first_referrer as "firstReferrer", first_form_name as "firstFormName",
  source_channel as "sourceChannel", first_visitor_id as "firstVisitorId", privacy_signal as "privacySignal",
  instant_text(verified_at) as "verifiedAt", consent_status as "consentStatus", instant_text(consent_at) as "consentAt",
  instant_text(consent_expires_at) as "consentExpiresAt", instant_text(imported_at) as "importedAt", site_id as "siteId"`;

/** Newest first. returns at most `limit` leads after the cursor; inside inSites */
export async function listLeads(
  db: Db,
  siteId: string,
  filter: LeadFilter,
  after: Cursor | null,
  limit: number,
): Promise<LeadRow[]> {
  const { rows } = await db.query<LeadRow>(
    `select ${LEAD} from leads
     where site_id = $1
       and ($2::text is null or email_normalized like '%' || $2 || '%' escape '!' or lower(email) like '%' || $2 || '%' escape '!')
       and ($3::text is null or first_source = $3) and ($4::text is null or consent_status = $4)
       and ($5::text is null or domain_class = $5)
       and ($6::date is null or first_captured_at >= site_day_starts($1, $6::date))
       and ($7::date is null or first_captured_at < site_day_starts($1, $7::date + 1))
       and ($11::uuid is null or lead_id = (select s.lead_id from submissions s where s.site_id = $1 and s.submission_id = $11))
       and ($8::timestamptz is null or (first_captured_at, lead_id) < ($8::timestamptz, $9::uuid))
     order by first_captured_at desc, lead_id desc limit $10`,
    [
      siteId,
      filter.q ? filter.q.toLowerCase().replace(/[!%_]/g, '!$&') : null,
      filter.source ?? null,
      filter.consent ?? null,
      filter.domainClass ?? null,
      filter.from ?? null,
      filter.to ?? null,
      after?.at ?? null,
      after?.leadId ?? null,
      limit,
      filter.submissionId ?? null,
    ],
  );
  return rows;
}

export async function findLead(db: Db, leadId: string): Promise<LeadRow | null> {
  return (
    (
      await db.query<LeadRow>(
        `select ${LEAD} from leads where lead_id = $1 and site_id = any (current_sites())`,
        [leadId],
      )
    ).rows[0] ?? null
  );
}

export async function findLeadByAddress(
  db: Db,
  siteId: string,
  emailNormalized: string,
): Promise<LeadRow | null> {
  return (
    (
      await db.query<LeadRow>(`select ${LEAD} from leads where site_id = $1 and email_normalized = $2`, [
        siteId,
        emailNormalized,
      ])
    ).rows[0] ?? null
  );
}
