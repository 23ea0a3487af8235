// Leads as administrators see them: a page of a list, one by its id, one by its address.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { EMAIL } from '../consent/purposes.ts';
import type { Standing } from '../consent/record.ts';
import { amongWhom } from './among.ts';
import {
  type Cursor,
  ENDED_AT,
  LEADS,
  type LeadFilter,
  STANDS,
  STANDS_SINCE,
  STANDS_UNTIL,
  STATUS,
  valuesOf,
  WHERE,
} from './filter.ts';
import type { LeadRow } from './shapes.ts';

const LEAD = `lead_id as "leadId", email, email_domain as "emailDomain", domain_class as "domainClass",
  instant_text(first_captured_at) as "firstCapturedAt", instant_text(last_submitted_at) as "lastSubmittedAt", first_source as "firstSource",
  first_utm as "firstUtm", first_path as "firstPath", first_referrer as "firstReferrer", first_form_name as "firstFormName",
  source_channel as "sourceChannel", first_visitor_id as "firstVisitorId", privacy_signal as "privacySignal",
  instant_text(verified_at) as "verifiedAt", ${STATUS} as "consentStatus",
  instant_text(case when consent_status <> ${STATUS} then consent_expires_at else consent_at end) as "consentAt",
  no_profiling as "noProfiling", restricted, attributes,
  instant_text(consent_expires_at) as "consentExpiresAt", instant_text(imported_at) as "importedAt", site_id as "siteId"`;

/** A lead as a list shows it: where it stands for the purpose that was asked for, and since when one may no longer write to it. */
export interface ListedRow extends LeadRow {
  standing: Standing;
  endedAt: string | null;
  unsubscribeKey: string;
}

/** Newest first. returns at most `limit` leads after the cursor; inside inSites */
export async function listLeads(
  db: Db,
  siteId: string,
  filter: LeadFilter,
  after: Cursor | null,
  limit: number,
): Promise<ListedRow[]> {
  const { rows } = await db.query<Omit<ListedRow, 'standing'> & Omit<Standing, 'purpose'>>(
    `select ${LEAD}, unsubscribe_key as "unsubscribeKey", ${STANDS} as status, instant_text(${STANDS_SINCE}) as since,
       instant_text(${STANDS_UNTIL}) as "expiresAt", instant_text(${ENDED_AT}) as "endedAt"
     from ${LEADS} where ${WHERE}
     order by first_captured_at desc, lead_id desc limit $16`,
    [...valuesOf(siteId, filter, await amongWhom(db, siteId, filter), after), limit],
  );
  const { purpose = EMAIL } = filter;
  return rows.map(({ status, since, expiresAt, ...lead }) => ({
    ...lead,
    standing: { purpose, status, since, expiresAt },
  }));
}

/** How many leads a filter finds; inside inSites. */
export async function countLeads(db: Db, siteId: string, filter: LeadFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from ${LEADS} where ${WHERE}`,
    valuesOf(siteId, filter, await amongWhom(db, siteId, filter), null),
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
