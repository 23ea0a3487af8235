// Every lead of a site as CSV, written while it is read: page by page, whatever their number.
import { Readable } from 'node:stream';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { csvLine } from '../../ground/lib/csv.ts';
import { type Cursor, type LeadFilter, listLeads } from './listing.ts';
import type { LeadRow } from './shapes.ts';

const ROWS_AT_ONCE = 500;

const COLUMNS = [
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

export const exportLeads = (db: Pool, siteId: string, filter: LeadFilter): Readable =>
  Readable.from(lines(db, siteId, filter), { objectMode: false });

async function* lines(db: Pool, siteId: string, filter: LeadFilter): AsyncGenerator<string> {
  yield csvLine([...COLUMNS, 'utmSource', 'utmMedium', 'utmCampaign', 'utmTerm', 'utmContent']);
  let after: Cursor | null = null;
  for (;;) {
    const from: Cursor | null = after;
    const page: LeadRow[] = await inSites(db, siteId, (client) =>
      listLeads(client, siteId, filter, from, ROWS_AT_ONCE),
    );
    if (page.length === 0) return;
    yield page.map(lineOf).join('');
    const last: LeadRow = page.at(-1)!;
    after = { at: last.firstCapturedAt, leadId: last.leadId };
  }
}

function lineOf(lead: LeadRow): string {
  const { source, medium, campaign, term, content } = lead.firstUtm ?? {};
  return csvLine([...COLUMNS.map((name) => lead[name]), source, medium, campaign, term, content]);
}
