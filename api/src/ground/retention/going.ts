// Which rows a run ends, as SQL: a dry run finds all of them still there, and what goes along with them is never asked for.
import { boundOf, type Kept, keptOf, type Settings, type Tables } from '../tables.ts';

export type Timed = Extract<Kept, { for: unknown }>;
type With = Extract<Kept, { with: unknown }>;

/** Whether it ends rows, in its turn: some only empty them, and some come when all others are done. */
export const endsRows = ({ forgets, last }: Timed): boolean => !forgets && !last;

/** What goes along: how many rows of which table, as SQL of a row called target. */
export interface Along {
  table: string;
  where: string;
}

export interface Going {
  /** SQL, of a row called target: whether a rule ends it; $1 is the bound. */
  endedBy(rule: Timed, dryRun: boolean): string;
  /** SQL, of a row called target: whether none of these rules of its table ends it. */
  left(rules: Timed[]): string;
  /** SQL, of a row of that name: whether the run leaves it, but for what its last rules end. */
  stays(table: string, row?: string): string;
  /** What ends with the rows that a rule ends and none of those before it did. */
  along(table: string, rule: Timed, before: Timed[]): Along[];
}

/** By day or by moment, as the column is. */
const olderThan = (since: string) =>
  `${since} < ${since === 'day' ? '$1::timestamptz::date' : '$1::timestamptz'}`;

/** Columns without a table's name are of the innermost row, which is the one a rule speaks of. */
const of = (sql: string, row: string) => sql.replace(/\btarget\b/g, row);

const allOf = (conditions: string[]) => conditions.map((one) => `(${one})`).join(' and ') || 'true';
const noneOf = (conditions: string[]) =>
  conditions.map((one) => `(${one}) is not true`).join(' and ') || 'true';

export function goingIn(tables: Tables, settings: Settings, now: Date): Going {
  const endedBy = ({ since, where, unless }: Timed, dryRun: boolean): string =>
    allOf([
      olderThan(since),
      ...(where ? [where] : []),
      // what holds it may go in this run: a real one has ended that by now
      ...(unless
        ? [
            `not exists (select from ${unless.table} holder where holder.site_id = target.site_id
               and holder.${unless.by} = target.${unless.by} and ${dryRun ? stays(unless.table, 'holder') : 'true'})`,
          ]
        : []),
    ]);

  const endedNow = (rule: Timed, row: string): string =>
    of(endedBy(rule, true), row).replaceAll('$1', `'${boundOf(rule.for, settings, now).toISOString()}'`);

  const ownRules = (table: string): Timed[] =>
    keptOf(tables[table]!).flatMap((kept) => ('for' in kept && endsRows(kept) ? [kept] : []));
  const own = (table: string, row: string) => ownRules(table).map((rule) => endedNow(rule, row));

  const withParent = ({ with: parent, on = [] }: With, row: string, ends: string): string =>
    `exists (select from ${parent} ${row}_of where ${['site_id', ...on].map((column) => `${row}_of.${column} = ${row}.${column}`).join(' and ')} and (${ends}))`;

  const parents = (table: string): With[] =>
    keptOf(tables[table]!).flatMap((kept) => ('with' in kept && kept.on ? [kept] : []));

  const goes = (table: string, row: string): string[] => [
    ...own(table, row),
    ...parents(table).flatMap((kept) => {
      const ends = goes(kept.with, `${row}_of`);
      return ends.length > 0 ? [withParent(kept, row, ends.map((one) => `(${one})`).join(' or '))] : [];
    }),
  ];
  const stays = (table: string, row = 'target'): string => noneOf(goes(table, row));

  const alongWith = (parent: string, ends: (row: string) => string): Along[] =>
    Object.keys(tables).flatMap((table) =>
      parents(table)
        .filter((kept) => kept.with === parent)
        .flatMap((kept) => {
          const goesAlong = (row: string) =>
            allOf([withParent(kept, row, ends(`${row}_of`)), noneOf(own(table, row))]);
          return [{ table, where: goesAlong('target') }, ...alongWith(table, goesAlong)];
        }),
    );

  return {
    endedBy,
    stays,
    left: (rules) => noneOf(rules.map((rule) => endedNow(rule, 'target'))),
    along: (table, rule, before) =>
      alongWith(table, (row) =>
        allOf([endedNow(rule, row), noneOf(before.map((one) => endedNow(one, row)))]),
      ),
  };
}
