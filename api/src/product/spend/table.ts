// A table of what was paid, as an advertiser's export has it: day,source,campaign,amount,currency.
import { AppError } from '../../ground/lib/app-error.ts';
import { readRows } from '../../ground/lib/table.ts';

export const ROWS_MAX = 5000;
const NEEDED = ['day', 'source', 'amount', 'currency'];

/**
 * returns  one row more than may be sent at most, so that too many are seen as such
 * throws   invalid_request, with the row and what is wrong with it
 */
export async function readTable(text: string): Promise<Record<string, string>[]> {
  const { names, rows } = await readRows(text, (header) => header.trim().toLowerCase(), ROWS_MAX);
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new AppError(
      'invalid_request',
      `The table needs the header day,source,campaign,amount,currency; it lacks ${missing.join(', ')}.`,
      { issues: missing.map((name) => ({ path: name, message: 'is no column of the table' })) },
    );
  const faults = rows.flatMap(({ line, fault, cells }, at) => [
    ...(fault ? [{ path: `rows.${at}`, message: `line ${line} ${fault}` }] : []),
    ...(fault ? [] : NEEDED)
      .filter((name) => cells[name] === '')
      .map((name) => ({ path: `rows.${at}.${name}`, message: `line ${line}: ${name} is missing` })),
  ]);
  if (faults.length > 0)
    throw new AppError('invalid_request', `Some rows are not whole: ${faults[0]!.message}.`, {
      issues: faults.slice(0, 20),
    });
  return rows.map(({ cells }) => cells);
}
