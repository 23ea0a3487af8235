// Reads a table that a spreadsheet or another tool wrote: commas, semicolons or tabs, and a row with a fault costs no other.
import type { parse as Parse } from 'csv-parse/sync';
import { AppError } from './app-error.ts';

export interface TableRow {
  /** Of the file, the header is 1; of a row over several lines the last. */
  line: number;
  /** By the header's names; a row that ends early has only its first. */
  cells: Record<string, string>;
  /** Why it can't be read, in words. */
  fault?: string;
}

const SEPARATORS = [',', ';', '\t'] as const;

/** What parts the header's names: whatever of these is in it most, outside of quotes. */
function separatorOf(text: string): string {
  const [header = ''] = text.replace(/"(?:[^"]|"")*"/g, '').split(/\r?\n|\r/, 1);
  const count = (sign: string) => header.split(sign).length;
  return SEPARATORS.reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

const FAULTS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'a quotation mark closes in the middle of a field; write two for one that is meant',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE:
    'a quotation mark closes in the middle of a field; write two for one that is meant',
  INVALID_OPENING_QUOTE:
    'a quotation mark opens in the middle of a field; put the whole field in quotation marks',
};

const refused = (message: string) =>
  new AppError('invalid_request', message, { issues: [{ path: 'csv', message }] });

type Parsed = { record: string[]; line: number } | { fault: string; line: number };

/** throws  what csv-parse does about the first fault */
function parsed(
  parse: typeof Parse,
  text: string,
  delimiter: string,
  to: number,
): { record: string[]; line: number }[] {
  const rows = parse(text, {
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    to,
    trim: true,
  }) as unknown as { record: string[]; info: { lines: number } }[];
  return rows.map(({ record, info }) => ({ record, line: info.lines }));
}

const ROW_LINES_MAX = 1000;

/** Row by row, since after a stray quotation mark csv-parse finds no next row: a row with one is its first line, no more. */
function parsedApart(parse: typeof Parse, text: string, delimiter: string, to: number): Parsed[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const records: Parsed[] = [];
  const isOpen = (row: string) => (row.match(/"/g)?.length ?? 0) % 2 === 1;
  for (let at = 0; at < lines.length && records.length < to; at += 1) {
    let row = lines[at]!;
    let last = at;
    while (isOpen(row) && last + 1 < lines.length && last - at < ROW_LINES_MAX) {
      last += 1;
      row += `\n${lines[last]}`;
    }
    try {
      const [one] = parsed(parse, row, delimiter, 1);
      if (one) records.push({ record: one.record, line: last + 1 });
      at = last;
    } catch (error) {
      const fault = FAULTS[(error as { code?: string }).code ?? ''] ?? 'is not written as a row of the table';
      records.push({ fault, line: at + 1 });
    }
  }
  return records;
}

/**
 * nameOf   a column's name as it is known here
 * rowsMax  one more may be returned, so that too many are seen as such
 * throws   invalid_request, when there is no header or it names a column twice
 */
export async function readRows(
  text: string,
  nameOf: (header: string) => string,
  rowsMax: number,
): Promise<{ names: string[]; rows: TableRow[] }> {
  const { parse } = await import('csv-parse/sync'); // rarely needed: not in memory before
  const delimiter = separatorOf(text);
  let records: Parsed[];
  try {
    records = parsed(parse, text, delimiter, rowsMax + 2);
  } catch {
    records = parsedApart(parse, text, delimiter, rowsMax + 2);
  }
  const header = records.shift();
  const names = header && 'record' in header ? header.record.map(nameOf) : [];
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) < at);
  if (twice) throw refused(`The header names the column ${twice} twice. Leave one of them out.`);
  const rows = records.map((one) =>
    'fault' in one
      ? { line: one.line, cells: {}, fault: one.fault }
      : { line: one.line, ...rowOf(names, one.record) },
  );
  return { names, rows };
}

function rowOf(names: string[], record: string[]): Omit<TableRow, 'line'> {
  const cells = Object.fromEntries(
    names.map((name, at) => [name, record[at] ?? '']).filter(([name]) => name !== ''),
  );
  if (!record.slice(names.length).some((cell) => cell !== '')) return { cells };
  return {
    cells,
    fault: `has ${record.length} fields, the header ${names.length}; put a field that holds the separator in quotation marks`,
  };
}
