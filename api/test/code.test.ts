// The measures of the code: no type that says nothing without its reason, and no file that wants to be two.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const sources = globSync('src/**/*.{ts,sql}').filter(
  (path) => !path.endsWith('.test.ts') && !path.includes('/dist/'),
);
const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

// `any` as a type (`: any`, `<any`, `as any`, `any[]`), not the word of a sentence or of SQL
const UNTYPED =
  /(?:[:<,|&(]\s*|\bas\s+)any\b(?=\s*(?:[\])>,;=|&{]|\[\]|$))|@ts-(?:ignore|expect-error|nocheck)\b/;
const REASON = /biome-ignore lint\/suspicious\/(?:noExplicitAny|noTsIgnore): \S+ \S+/;

test('a type is looked away from only with its reason in the line before', () => {
  const bare = sources
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      linesOf(path).flatMap((line, at, all) =>
        UNTYPED.test(line) && !REASON.test(all[at - 1] ?? '') ? [`${path}:${at + 1} ${line.trim()}`] : [],
      ),
    );
  assert.deepEqual(bare, [], 'give these a type, or say in a biome-ignore why there is none');
});

const LINES_MAX = 350;
const LINES_P90_MAX = 220;

test('a file is short enough to be read at once', () => {
  const lengths = sources
    .map((path) => ({ path, lines: linesOf(path).length }))
    .sort((a, b) => a.lines - b.lines);
  const at = (share: number) => lengths[Math.ceil(share * lengths.length) - 1]!.lines;
  const longest = lengths.slice(-10).map(({ path, lines }) => `${path} ${lines}`);
  const figures = `lines p50/p90/max ${at(0.5)}/${at(0.9)}/${at(1)}, the longest: ${longest.join(', ')}`;
  assert.ok(at(0.9) <= LINES_P90_MAX, figures);
  const longer = lengths.filter(({ lines }) => lines > LINES_MAX).map(({ path }) => path);
  assert.deepEqual(longer, [], figures);
});
