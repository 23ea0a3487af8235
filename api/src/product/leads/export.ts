// Every lead of a site as CSV, written while it is read: page by page, whatever their number.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { csvLine } from '../../ground/lib/csv.ts';
import { linkToken } from '../consent/link.ts';
import { type Cursor, type LeadFilter, listLeads } from './listing.ts';
import type { LeadRow } from './shapes.ts';

const ROWS_AT_ONCE = 500;

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

export const exportColumn = z.enum([
  ...OF_LEAD,
  ...(Object.keys(UTM) as (keyof typeof UTM)[]),
  'unsubscribeUrl',
  'payload',
]);
type Column = z.output<typeof exportColumn>;

const STANDARD: readonly Column[] = exportColumn.options.filter((name) => name !== 'payload');
/** Without it a spreadsheet takes UTF-8 for something older, and shows MÃ¼ller. */
const BYTE_ORDER_MARK = '\ufeff';

interface More {
  unsubscribeKey: string;
  /** Of the newest submission. */
  payload: unknown;
}

/** columns  in this order; default: all but the payload */
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
    const [page, more] = await inSites(
      db,
      siteId,
      async (client): Promise<[LeadRow[], Map<string, More>]> => {
        const leads = await listLeads(client, siteId, filter, from, ROWS_AT_ONCE);
        return [leads, await moreOf(client, siteId, leads, columns)];
      },
    );
    if (page.length === 0) return;
    yield page.map((lead) => lineOf(lead, more.get(lead.leadId), columns, publicUrl)).join('');
    const last: LeadRow = page.at(-1)!;
    after = { at: last.firstCapturedAt, leadId: last.leadId };
  }
}

async function moreOf(
  db: Db,
  siteId: string,
  leads: LeadRow[],
  columns: readonly Column[],
): Promise<Map<string, More>> {
  if (!columns.includes('unsubscribeUrl') && !columns.includes('payload')) return new Map();
  const { rows } = await db.query<More & { leadId: string }>(
    `select lead_id as "leadId", unsubscribe_key as "unsubscribeKey", newest.payload from leads l left join lateral (
       select payload from submissions s where s.site_id = l.site_id and s.lead_id = l.lead_id order by submitted_at desc limit 1
     ) newest on $3 where site_id = $1 and lead_id = any ($2)`,
    [siteId, leads.map(({ leadId }) => leadId), columns.includes('payload')],
  );
  return new Map(rows.map((row) => [row.leadId, row]));
}

function lineOf(
  lead: LeadRow,
  more: More | undefined,
  columns: readonly Column[],
  publicUrl: string,
): string {
  const cells = columns.map((name) => {
    if (name === 'payload') return more?.payload ?? null;
    if (name === 'unsubscribeUrl')
      return more ? `${publicUrl}/v1/unsubscribe/${linkToken(lead.siteId, more.unsubscribeKey)}` : null;
    return name in UTM
      ? lead.firstUtm?.[UTM[name as keyof typeof UTM]]
      : lead[name as (typeof OF_LEAD)[number]];
  });
  return csvLine(cells);
}
