// Leads as administrators see them: a page of a list, one lead's timeline, everything held about one address.
import type { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { listConsentRecords } from '../consent/record.ts';
import type {
  eventShape,
  identityShape,
  LeadRow,
  leadConversionShape,
  mailShape,
  sessionShape,
  submissionShape,
  Timeline,
} from './shapes.ts';

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
  instant_text(consent_expires_at) as "consentExpiresAt", instant_text(imported_at) as "importedAt", site_id as "siteId"`;

/** Newest first. returns at most `limit` leads after the cursor; inside inSites */
export async function listLeads(
  db: Db,
  siteId: string,
  filter: LeadFilter,
  after: Cursor | null,
  limit: number,
): Promise<(LeadRow & { unsubscribeKey: string })[]> {
  const { rows } = await db.query<LeadRow & { unsubscribeKey: string }>(
    `select ${LEAD}, unsubscribe_key as "unsubscribeKey" from leads l
     where site_id = $1
       and ($2::text is null or email_normalized like '%' || $2 || '%' escape '!' or lower(email) like '%' || $2 || '%' escape '!')
       and ($3::text is null or first_source = $3) and ($4::text is null or ${STATUS} = $4)
       and ($12::boolean is null or (${STATUS} in ('express', 'implied')) = $12)
       and ($13::timestamptz is null or (${STATUS} in ('withdrawn', 'expired') and ${LEFT_AT} >= $13))
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
      filter.mailable ?? null,
      filter.withdrawnSince ?? null,
    ],
  );
  return rows;
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

/** Everything that belongs to a lead, newest first; events bounded, all else whole. Inside inSites. */
export async function timelineOf(db: Db, lead: LeadRow, eventsMax: number): Promise<Timeline> {
  const { siteId, leadId } = lead;
  const identities = await listIdentities(db, siteId, leadId);
  const visitors = [
    ...new Set(
      identities
        .filter((link) => !link.unlinkedAt && link.linkSource !== 'same_ip_ua_window')
        .map((link) => link.visitorId),
    ),
  ];
  return {
    identities,
    sessions: await listSessions(db, siteId, visitors),
    events: await listEvents(db, siteId, visitors, eventsMax),
    submissions: await listSubmissions(db, siteId, leadId),
    consents: await listConsentRecords(db, siteId, leadId),
    conversions: await listConversions(db, siteId, { leadId, visitors }),
  };
}

async function listIdentities(db: Db, siteId: string, leadId: string) {
  const { rows } = await db.query<z.output<typeof identityShape>>(
    `select identity_id as "identityId", visitor_id as "visitorId", link_source as "linkSource", round(confidence::numeric, 4)::float as confidence,
       instant_text(linked_at) as "linkedAt", instant_text(unlinked_at) as "unlinkedAt"
     from lead_identities where site_id = $1 and lead_id = $2 order by linked_at, identity_id`,
    [siteId, leadId],
  );
  return rows;
}

async function listSessions(db: Db, siteId: string, visitors: string[]) {
  const { rows } = await db.query<z.output<typeof sessionShape>>(
    `select session_id as "sessionId", visitor_id as "visitorId", instant_text(started_at) as "startedAt", instant_text(last_activity_at) as "lastActivityAt",
       landing_path as "landingPath", referrer, source, utm, device_type as "deviceType", browser, os, country
     from sessions where site_id = $1 and visitor_id = any ($2) order by started_at desc limit 500`,
    [siteId, visitors],
  );
  return rows;
}

async function listEvents(db: Db, siteId: string, visitors: string[], limit: number) {
  const { rows } = await db.query<z.output<typeof eventShape>>(
    `select event_id as "eventId", visitor_id as "visitorId", session_id as "sessionId", event_type as "eventType", path, referrer, utm, props,
       instant_text(occurred_at) as "occurredAt", bot_reason as "botReason"
     from events where site_id = $1 and visitor_id = any ($2) order by occurred_at desc, event_id limit $3`,
    [siteId, visitors, limit],
  );
  return rows;
}

async function listSubmissions(db: Db, siteId: string, leadId: string) {
  const { rows } = await db.query<z.output<typeof submissionShape>>(
    `select submission_id as "submissionId", event_id as "eventId", form_name as "formName", path, source_channel as "sourceChannel", payload,
       instant_text(submitted_at) as "submittedAt", spam_score as "spamScore"
     from submissions where site_id = $1 and lead_id = $2 order by submitted_at desc`,
    [siteId, leadId],
  );
  return rows;
}

/** What became of a lead, or of an address that is nobody's lead yet; newest first. Inside inSites. */
export async function listConversions(
  db: Db,
  siteId: string,
  whose: { leadId?: string; visitors?: string[]; emailHash?: string },
): Promise<z.output<typeof leadConversionShape>[]> {
  return (
    await db.query<z.output<typeof leadConversionShape>>(
      `select conversion_id as "conversionId", kind, origin, visitor_id as "visitorId", instant_text(occurred_at) as "occurredAt",
         amount::float8 as amount, currency
       from conversions where site_id = $1 and (lead_id = $2 or visitor_id = any ($3) or email_hash = $4::bytea)
       order by occurred_at desc, conversion_id`,
      [siteId, whose.leadId ?? null, whose.visitors ?? [], whose.emailHash ?? null],
    )
  ).rows;
}

/** Mails to a lead, oldest first, sent or still waiting. */
export async function listMails(
  db: Db,
  siteId: string,
  leadId: string,
): Promise<z.output<typeof mailShape>[]> {
  const { rows } = await db.query<z.output<typeof mailShape>>(
    'select kind, instant_text(queued_at) as "queuedAt", instant_text(sent_at) as "sentAt" from outgoing_mails where site_id = $1 and lead_id = $2 order by queued_at',
    [siteId, leadId],
  );
  return rows;
}
