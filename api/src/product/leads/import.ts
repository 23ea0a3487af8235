// Takes over leads from elsewhere, with the evidence of their consent: a report for each row, and a dry run before.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { siteName } from '../../ground/http/fields.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { readRows } from '../../ground/lib/table.ts';
import { importRow, outcome } from './import-one.ts';
import {
  attributeColumns,
  attributesOf,
  columnOf,
  DATE_FORMATS,
  importedRow,
  isColumn,
} from './import-rows.ts';

const ROWS_MAX = 20_000;
const ROWS_PER_TRANSACTION = 200; // a capture of the same address waits no longer than this takes

export const importInput = z
  .object({
    propertyId: siteName,
    dryRun: z.boolean().default(false).describe('tells what would happen, and changes nothing'),
    dateFormat: z
      .enum(DATE_FORMATS)
      .optional()
      .describe('how days are written that are not ISO; a time after one is UTC'),
    csv: z
      .string()
      .min(1)
      .describe(
        'with a header (commas, semicolons or tabs): email, and any of capturedAt, formName, sourceChannel, consentStatus, consentAt, consentKind, expiresAt, words, language, policyVersion, purposes, evidence; further columns become attributes of the leads',
      ),
  })
  .meta({ id: 'LeadImport' });

export const importReport = z
  .object({
    dryRun: z.boolean(),
    counts: z.record(outcome, z.int()),
    rows: z.array(
      z.object({
        row: z.int().describe('line of the file; the header is 1'),
        outcome,
        message: z.string().optional(),
      }),
    ),
    attributeColumns: z.array(z.string()).describe('further columns, kept as attributes of the leads'),
    ignoredColumns: z.array(z.string()).describe('names in the header that we keep nothing of'),
  })
  .meta({ id: 'LeadImportReport' });

export interface RowReport {
  row: number;
  outcome: z.output<typeof outcome>;
  message?: string;
}

class DryRun extends Error {}

/** throws invalid_request when the file is no CSV or has no column email */
export async function importLeads(
  pool: Pool,
  siteId: string,
  input: z.output<typeof importInput>,
  hashAddress: (normalized: string) => string,
): Promise<z.output<typeof importReport>> {
  const { names, rows: records } = await readRows(input.csv, columnOf, ROWS_MAX);
  if (records.length === 0 || !names.includes('email'))
    throw unreadable('The file needs a header line with a column called email, and rows.');
  if (records.length > ROWS_MAX) throw unreadable(`The file has over ${ROWS_MAX} rows; send it in parts.`);
  const shape = importedRow(input.dateFormat);
  const further = attributeColumns(names);

  const rows: RowReport[] = [];
  for (let start = 0; start < records.length; start += ROWS_PER_TRANSACTION) {
    const bite = records.slice(start, start + ROWS_PER_TRANSACTION);
    const reports: RowReport[] = [];
    await inSites(pool, siteId, async (db) => {
      // in one order, so that two imports, or captures, never wait for each other in a circle
      const addresses = bite.flatMap(({ cells }) => readAddress(cells.email ?? '')?.normalized ?? []).sort();
      await db.query(
        "select pg_advisory_xact_lock(hashtextextended($1 || ' ' || address, 7)) from unnest($2::text[]) as a (address)",
        [siteId, addresses],
      );
      for (const { cells, line, fault } of bite) {
        const parsed = shape.safeParse(cells);
        const address = readAddress(cells.email ?? '');
        if (fault) reports.push(refused(line, fault));
        else if (!address) reports.push(refused(line, 'email: is not an address'));
        else if (!parsed.success) reports.push(refused(line, faultsOf(parsed.error)));
        else
          reports.push({
            row: line,
            ...(await importRow(db, siteId, parsed.data, {
              address,
              emailHash: hashAddress(address.normalized),
              attributes: attributesOf(cells, further),
            })),
          });
      }
      if (input.dryRun) throw new DryRun();
    }).catch((error) => {
      if (!(error instanceof DryRun)) throw error;
    });
    rows.push(...reports);
  }
  const counts = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  for (const { outcome: what } of rows) counts[what] += 1;
  return {
    dryRun: input.dryRun,
    counts,
    rows,
    attributeColumns: further,
    ignoredColumns: names.filter((name) => name && !isColumn(name) && !further.includes(name)),
  };
}

const refused = (row: number, message: string): RowReport => ({ row, outcome: 'refused', message });
const faultsOf = ({ issues }: z.ZodError) =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const unreadable = (message: string) =>
  new AppError('invalid_request', message, { issues: [{ path: 'csv', message }] });
