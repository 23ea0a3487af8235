// Writes docs/kept.md: what is kept, of whom and how long, read off the features. A test holds it current.
import { writeFileSync } from 'node:fs';
import { readConfig } from './config.ts';
import { FEATURES } from './features.ts';
import { type Column, type Kept, keptOf, lengthOf, type TableRule } from './ground/tables.ts';

export const PAGE = new URL('../../docs/kept.md', import.meta.url);

// what an operator who sets nothing has; the three that must be set have nothing to do with it
const defaults = readConfig({
  DATABASE_URL: 'postgres://localhost/unused',
  IP_HASH_PEPPER: 'unused, unused, unused',
});

const WHOSE: Record<NonNullable<TableRule['whose']>, string> = {
  lead: 'the lead',
  visitor: 'the visitor',
  'lead or visitor': 'the lead or the visitor',
  'lead, visitor or hash': 'the lead, the visitor, or by the keyed hash of the address',
  address: 'by the address',
  hash: 'by the keyed hash of the address',
  user: 'the user, who signs in',
};

function inTime(kept: Kept): string {
  if ('ever' in kept) return `no end: ${kept.ever}`;
  if ('with' in kept) return `with ${kept.with}`;
  if ('job' in kept) return `job \`${kept.job}\`: ${kept.why}`;
  const { unit, count } = lengthOf(kept.for, defaults);
  const setting = Object.values(kept.for)[0];
  const what = kept.forgets ? ` (\`${kept.forgets}\`)` : '';
  return `${count} ${unit}${typeof setting === 'string' ? ` (\`${setting}\`)` : ''} after \`${kept.since}\`${what}: ${kept.why}`;
}

function onErasure({ whose, moved, columns }: TableRule): string {
  const named = (wanted: (column: Column) => boolean) =>
    Object.entries(columns)
      .filter(([, column]) => wanted(column))
      .map(([name]) => `\`${name}\``)
      .join(', ');
  const scrubbed = named((column) => typeof column === 'object');
  const searched = named((column) =>
    typeof column === 'object' ? column.found === true : column.includes('found'),
  );
  return [
    moved
      ? 'moved to a nameless visitor'
      : whose === 'user'
        ? 'the row goes with the account'
        : whose
          ? 'the row goes'
          : '',
    scrubbed && `emptied: ${scrubbed}`,
    searched && `the address is taken out of ${searched}`,
  ]
    .filter(Boolean)
    .join('; ');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const line = (...cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;

export function keptPage(): string {
  const lines = [
    '# What is kept, of whom and how long',
    '',
    'Made by `npm run kept` in api/ from what each feature says of its tables (`api/src/*/*/tables.ts`); a test compares. Erasure,',
    'the nightly purge and `GET /v1/privacy` are made from the same. Periods are the defaults, with the setting that changes them.',
    '',
  ];
  for (const { name, tables = {}, keeps = {} } of FEATURES) {
    if (Object.keys(tables).length + Object.keys(keeps).length === 0) continue;
    lines.push(`## ${name}`, '', line('table', 'a row is', 'whose', 'when that person is erased', 'ends'));
    lines.push('| --- | --- | --- | --- | --- |');
    for (const [table, rule] of Object.entries(tables))
      lines.push(
        line(
          `\`${table}\``,
          rule.holds,
          rule.whose ? WHOSE[rule.whose] : 'nobody',
          onErasure(rule),
          [
            ...keptOf(rule).map(inTime),
            ...(rule.outlives
              ? ['of a lead whose time is over it stays for counting, under a random id']
              : []),
            ...(rule.bound ? [`at most ${rule.bound}`] : []),
          ].join('; '),
        ),
      );
    for (const { holds, for: period } of Object.values(keeps)) {
      const { unit, count } = lengthOf(period, defaults);
      lines.push(
        line('(files)', holds, 'everyone in them', 'a restore repeats the erasure', `${count} ${unit}`),
      );
    }
    lines.push('');
  }
  return lines.join('\n');
}

if (import.meta.main) writeFileSync(PAGE, keptPage());
