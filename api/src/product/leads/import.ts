// Takes over leads from elsewhere, with the evidence of their consent: a report for each row, and a dry run before.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { siteName } from '../../ground/http/fields.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { type Field, fitFields } from '../custom-fields/values.ts';
import { faultsOf, inBites, readFile } from './import-bites.ts';
import { importRow, outcome } from './import-one.ts';
import {
  attributeColumns,
  attributesOf,
  columnOf,
  DATE_FORMATS,
  importedRow,
  isColumn,
} from './import-rows.ts';

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

/** throws invalid_request when the file is no CSV or has no column email */
export async function importLeads(
  pool: Pool,
  siteId: string,
  input: z.output<typeof importInput>,
  { fields, hashAddress }: { fields: readonly Field[]; hashAddress: (normalized: string) => string },
): Promise<z.output<typeof importReport>> {
  const { names, rows: records } = await readFile(
    input.csv,
    columnOf,
    (all) => all.includes('email'),
    'The file needs a header line with a column called email, and rows.',
  );
  const shape = importedRow(input.dateFormat);
  const further = attributeColumns(names);

  const rows = await inBites(pool, siteId, records, input.dryRun, async (db, { cells, line, fault }) => {
    const parsed = shape.safeParse(cells);
    const address = readAddress(cells.email ?? '');
    if (fault) return refused(line, fault);
    if (!address) return refused(line, 'email: is not an address');
    if (!parsed.success) return refused(line, faultsOf(parsed.error));
    const { sent, warnings } = fitFields(fields, attributesOf(cells, further) ?? {}, 'attributes');
    const { outcome: became, message } = await importRow(db, siteId, parsed.data, {
      address,
      emailHash: hashAddress(address.normalized),
      attributes: Object.keys(sent).length > 0 ? sent : null,
      warnings,
    });
    return { row: line, outcome: became, ...(message ? { message } : {}) };
  });
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
