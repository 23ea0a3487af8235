// Leads as administrators see them: a page of a list, one by its id, one by its address.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
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
  /** Whom one may write to now: express, or implied that still runs. */
  mailable?: boolean | undefined;
  /** Without leads that are only to be kept. */
  unrestricted?: boolean | undefined;
  /** Whom one may no longer write to, when that became so at or after this moment; an instant. */
  withdrawnSince?: string | undefined;
}

export interface Cursor {
  at: string;
  leadId: string;
}

/** By the clock: implied consent that has run out is expired, whether or not a job has written that down. */
const STATUS = 'consent_at(consent_status, consent_expires_at, now())';
// When it was written down, not when it was said: what is carried in or replayed today is new to whoever asks since yesterday.
const LEFT_AT = `case when consent_status = 'implied' then consent_expires_at else (select max(r.recorded_at) from consent_records r
  where r.site_id = l.site_id and r.lead_id = l.lead_id and r.action <> 'requested' and purpose_of(r, null) in ('email', 'all')) end`;

const LEAD = `lead_id as "leadId", email, email_domain as "emailDomain", domain_class as "domainClass",
  instant_text(first_captured_at) as "firstCapturedAt", instant_text(last_submitted_at) as "lastSubmittedAt", first_source as "firstSource",
  first_utm as "firstUtm", first_path as "firstPath", first_referrer as "firstReferrer", first_form_name as "firstFormName",
  source_channel as "sourceChannel", first_visitor_id as "firstVisitorId", privacy_signal as "privacySignal",
  instant_text(verified_at) as "verifiedAt", ${STATUS} as "consentStatus",
  instant_text(case when consent_status <> ${STATUS} then consent_expires_at else consent_at end) as "consentAt",
  no_profiling as "noProfiling", restricted, attributes,
  instant_text(consent_expires_at) as "consentExpiresAt", instant_text(imported_at) as "importedAt", site_id as "siteId"`;

const WHERE = `site_id = $1
       and ($2::text is null or email_normalized like '%' || $2 || '%' escape '!' or lower(email) like '%' || $2 || '%' escape '!')
       and ($3::text is null or first_source = $3) and ($4::text is null or ${STATUS} = $4)
       and ($5::text is null or domain_class = $5)
       and ($6::date is null or first_captured_at >= site_day_starts($1, $6::date))
       and ($7::date is null or first_captured_at < site_day_starts($1, $7::date + 1))
       and ($8::timestamptz is null or (first_captured_at, lead_id) < ($8::timestamptz, $9::uuid))
       and ($10::uuid is null or lead_id = (select s.lead_id from submissions s where s.site_id = $1 and s.submission_id = $10))
       and ($11::boolean is null or ((${STATUS} = 'express' or (${STATUS} = 'implied' and takes_implied($1))) and not restricted) = $11)
       and ($12::timestamptz is null or (${STATUS} in ('withdrawn', 'expired') and ${LEFT_AT} >= $12))
       and ($13::boolean is null or restricted is distinct from $13)`;

const valuesOf = (siteId: string, filter: LeadFilter, after: Cursor | null): unknown[] => [
  siteId,
  filter.q ? filter.q.toLowerCase().replace(/[!%_]/g, '!$&') : null,
  filter.source ?? null,
  filter.consent ?? null,
  filter.domainClass ?? null,
  filter.from ?? null,
  filter.to ?? null,
  after?.at ?? null,
  after?.leadId ?? null,
  filter.submissionId ?? null,
  filter.mailable ?? null,
  filter.withdrawnSince ?? null,
  filter.unrestricted ?? null,
];

/** Newest first. returns at most `limit` leads after the cursor; inside inSites */
export async function listLeads(
  db: Db,
  siteId: string,
  filter: LeadFilter,
  after: Cursor | null,
  limit: number,
): Promise<(LeadRow & { unsubscribeKey: string })[]> {
  const { rows } = await db.query<LeadRow & { unsubscribeKey: string }>(
    `select ${LEAD}, unsubscribe_key as "unsubscribeKey" from leads l where ${WHERE}
     order by first_captured_at desc, lead_id desc limit $14`,
    [...valuesOf(siteId, filter, after), limit],
  );
  return rows;
}

/** How many leads a filter finds; inside inSites. */
export async function countLeads(db: Db, siteId: string, filter: LeadFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from leads l where ${WHERE}`,
    valuesOf(siteId, filter, null),
  );
  return rows[0]!.count;
}

async function findLead(db: Db, leadId: string): Promise<LeadRow | null> {
  return (
    (
      await db.query<LeadRow>(
        `select ${LEAD} from leads where lead_id = $1 and site_id = any (current_sites())`,
        [leadId],
      )
    ).rows[0] ?? null
  );
}

/**
 * The lead that :leadId names, of any site of the caller; noted for the audit log.
 * throws  not_found
 */
export async function existingLead(db: Pool, call: Call): Promise<LeadRow> {
  const lead = await inSites(db, call.siteIds, (client) => findLead(client, call.params.leadId!));
  if (!lead) throw new AppError('not_found', 'There is no lead with this id.');
  call.note({ siteId: lead.siteId, target: lead.leadId });
  return lead;
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

/**
 * The random half of a lead's unsubscribe link; inside inSites.
 * throws  not_found, when it was erased meanwhile
 */
export async function linkKeyOf(db: Db, siteId: string, leadId: string): Promise<string> {
  const { rows } = await db.query<{ key: string }>(
    'select unsubscribe_key as key from leads where site_id = $1 and lead_id = $2',
    [siteId, leadId],
  );
  if (!rows[0]) throw new AppError('not_found', 'There is no lead with this id.');
  return rows[0].key;
}
