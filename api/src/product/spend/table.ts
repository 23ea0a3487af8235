// A table of what was paid, as an advertiser's export has it: day,source,campaign,amount,currency.
import { AppError } from '../../ground/lib/app-error.ts';

export const ROWS_MAX = 5000;

/** returns  one row more than may be sent at most, so that too many are seen as such */
export async function readTable(text: string): Promise<Record<string, string>[]> {
  const { parse } = await import('csv-parse/sync'); // rarely needed: not in memory before
  try {
    return parse(text, {
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      bom: true,
      skip_empty_lines: true,
      trim: true,
      to: ROWS_MAX + 1,
    });
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'This is not a table with the header day,source,campaign,amount,currency.',
      { cause },
    );
  }
}
