// What every import of rows with addresses does alike: bites of a file, each in a transaction, with a report for each row, and a
// dry run that does all of it and takes it back.
import type { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { readRows, type TableRow } from '../../ground/lib/table.ts';

const ROWS_MAX = 20_000;
const ROWS_PER_TRANSACTION = 200; // a capture of the same address waits no longer than this takes

class DryRun extends Error {}

export const faultsOf = ({ issues }: z.ZodError) =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const unreadable = (message: string) =>
  new AppError('invalid_request', message, { issues: [{ path: 'csv', message }] });

/** throws  invalid_request when the file is no CSV, has no rows or too many, or lacks what `hasAll` asks of its header; missing says so */
export async function readFile(
  csv: string,
  columnOf: (header: string) => string,
  hasAll: (names: readonly string[]) => boolean,
  missing: string,
): Promise<{ names: string[]; rows: TableRow[] }> {
  const table = await readRows(csv, columnOf, ROWS_MAX);
  if (table.rows.length === 0 || !hasAll(table.names)) throw unreadable(missing);
  if (table.rows.length > ROWS_MAX) throw unreadable(`The file has over ${ROWS_MAX} rows; send it in parts.`);
  return table;
}

/** takeRow  stores one row inside the transaction, or says why not. returns  a report for each row, in their order */
export async function inBites<Report>(
  pool: Pool,
  siteId: string,
  records: readonly TableRow[],
  dryRun: boolean,
  takeRow: (db: Db, record: TableRow) => Promise<Report>,
): Promise<Report[]> {
  const all: Report[] = [];
  for (let start = 0; start < records.length; start += ROWS_PER_TRANSACTION) {
    const bite = records.slice(start, start + ROWS_PER_TRANSACTION);
    const reports: Report[] = [];
    await inSites(pool, siteId, async (db) => {
      // in one order, so that two imports, or captures, never wait for each other in a circle
      const addresses = bite.flatMap(({ cells }) => readAddress(cells.email ?? '')?.normalized ?? []).sort();
      await db.query(
        "select pg_advisory_xact_lock(hashtextextended($1 || ' ' || address, 7)) from unnest($2::text[]) as a (address)",
        [siteId, addresses],
      );
      for (const record of bite) reports.push(await takeRow(db, record));
      if (dryRun) throw new DryRun();
    }).catch((error) => {
      if (!(error instanceof DryRun)) throw error;
    });
    all.push(...reports);
  }
  return all;
}
