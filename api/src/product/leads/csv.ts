// CSV that a spreadsheet shows and never runs: RFC 4180, with formulas made inert.

/**
 * A cell. A spreadsheet runs what begins with = + - @, also after blanks, tabs or other signs it skips; an apostrophe
 * before it makes it text. Numbers of our own stay numbers.
 */
export function csvCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const inert =
    /^[\s\p{Cc}\p{Cf}"']*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]/u.test(value) || /^[\t\r\n]/.test(value)
      ? `'${value}`
      : value;
  return /[",\r\n;\t]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

export const csvLine = (cells: (string | number | null | undefined)[]): string =>
  `${cells.map(csvCell).join(',')}\r\n`;
