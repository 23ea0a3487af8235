// Every lead of a site as CSV, written while it is read: page by page, whatever their number.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { csvLine } from '../../ground/lib/csv.ts';
import { unsubscribeUrl } from '../consent/link.ts';
import type { Cursor, LeadFilter } from './filter.ts';
import { type ListedRow, listLeads } from './listing.ts';
import type { LeadRow } from './shapes.ts';

const ROWS_AT_ONCE = 200; // 14 KB of what was typed each: some megabytes at once

const OF_LEAD = [
  'email',
  'leadId',
  'firstCapturedAt',
  'lastSubmittedAt',
  'consentStatus',
  'consentAt',
  'consentExpiresAt',
  'verifiedAt',
  'domainClass',
  'firstSource',
  'firstPath',
  'firstReferrer',
  'firstFormName',
  'sourceChannel',
] as const;
const UTM = {
  utmSource: 'source',
  utmMedium: 'medium',
  utmCampaign: 'campaign',
  utmTerm: 'term',
  utmContent: 'content',
} as const;

const STANDING = {
  purpose: 'purpose',
  purposeStatus: 'status',
  purposeSince: 'since',
  purposeExpiresAt: 'expiresAt',
} as const;

export const exportColumn = z.enum([
  ...OF_LEAD,
  ...(Object.keys(UTM) as (keyof typeof UTM)[]),
  'unsubscribeUrl',
  ...(Object.keys(STANDING) as (keyof typeof STANDING)[]),
  'endedAt',
  'restricted',
  'payload',
  'attributes',
]);
type Column = z.output<typeof exportColumn>;

const BY_NAME_ONLY: readonly Column[] = ['payload', 'attributes'];
const STANDARD: readonly Column[] = exportColumn.options.filter((name) => !BY_NAME_ONLY.includes(name));
/** Without it a spreadsheet takes UTF-8 for something older, and shows MÃ¼ller. */
const BYTE_ORDER_MARK = '\ufeff';

/** What a tool needs to stop writing to somebody who is to be left alone. */
const TO_STOP: readonly Column[] = [
  'email',
  'leadId',
  'consentStatus',
  'purpose',
  'purposeStatus',
  'endedAt',
  'restricted',
];

/** Of leads that are restricted nothing leaves, but that they are, to whoever asks whom they may no longer write to. */
export const exportedOf = (filter: LeadFilter): LeadFilter => ({
  ...filter,
  unrestricted: filter.withdrawnSince === undefined ? true : undefined,
});

/** columns  in this order; default: all but payload and attributes */
export const exportLeads = (
  db: Pool,
  siteId: string,
  filter: LeadFilter,
  { columns = STANDARD, publicUrl }: { columns?: readonly Column[] | undefined; publicUrl: string },
): Readable => Readable.from(lines(db, siteId, filter, columns, publicUrl), { objectMode: false });

async function* lines(
  db: Pool,
  siteId: string,
  filter: LeadFilter,
  columns: readonly Column[],
  publicUrl: string,
): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(columns);
  let after: Cursor | null = null;
  for (;;) {
    const from: Cursor | null = after;
    const [page, payloads] = await inSites(
      db,
      siteId,
      async (client): Promise<[ListedRow[], Map<string, unknown>]> => {
        const leads = await listLeads(client, siteId, exportedOf(filter), from, ROWS_AT_ONCE);
        return [leads, columns.includes('payload') ? await payloadsOf(client, siteId, leads) : new Map()];
      },
    );
    if (page.length === 0) return;
    yield page.map((lead) => lineOf(lead, payloads.get(lead.leadId), columns, publicUrl)).join('');
    const last: ListedRow = page.at(-1)!;
    after = { at: last.firstCapturedAt, leadId: last.leadId };
  }
}

/** Of the newest submissions, by lead. */
async function payloadsOf(db: Db, siteId: string, leads: LeadRow[]): Promise<Map<string, unknown>> {
  const { rows } = await db.query<{ leadId: string; payload: unknown }>(
    `select distinct on (lead_id) lead_id as "leadId", payload from submissions
     where site_id = $1 and lead_id = any ($2) order by lead_id, submitted_at desc`,
    [siteId, leads.map(({ leadId }) => leadId)],
  );
  return new Map(rows.map(({ leadId, payload }) => [leadId, payload]));
}

function lineOf(lead: ListedRow, payload: unknown, columns: readonly Column[], publicUrl: string): string {
  const cells = columns.map((name) => {
    if (lead.restricted && !TO_STOP.includes(name)) return null;
    if (name === 'payload') return payload ?? null;
    if (name === 'attributes') return lead.attributes;
    if (name === 'unsubscribeUrl') return unsubscribeUrl(publicUrl, lead.siteId, lead.unsubscribeKey);
    if (name in STANDING) return lead.standing[STANDING[name as keyof typeof STANDING]];
    if (name === 'endedAt' || name === 'restricted') return lead[name];
    return name in UTM
      ? lead.firstUtm?.[UTM[name as keyof typeof UTM]]
      : lead[name as (typeof OF_LEAD)[number]];
  });
  return csvLine(cells);
}
