// Writes CSV (RFC 4180) that a spreadsheet opens as data and never runs: no cell can start a formula.

/**
 * What a spreadsheet runs: = + - @ | % and their full-width twins, also behind what it skips (blanks, quotes, control
 * and zero-width characters), and whatever begins with a tab or the end of a line.
 */
const FORMULA = /^[\s\p{Cc}\p{Cf}"']*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]|^[\t\r\n]/u;
const QUOTED = /[",\r\n;\t]|^\s|\s$/;

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  // ours, so a negative number is a number and no formula
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const inert = FORMULA.test(text) ? `'${text}` : text; // behind an apostrophe it is text
  return QUOTED.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** One line, for tables that are sent as they are read. */
export const csvLine = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;

/** Header and rows; columns are those of the first row, in its order. An empty list is an empty text. */
export function toCsv(rows: Record<string, unknown>[]): string {
  if (rows.length === 0) return '';
  const columns = Object.keys(rows[0]!);
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(csvLine).join('');
}
