// Where others wrote a person's address: texts of rows that stay, and names under which rows were summed.
import type { Db } from '../../ground/db/pool.ts';
import type { Tables } from '../../ground/tables.ts';

/** Columns of a table. */
export interface Place {
  table: string;
  names: string[];
}

const placesOf = (tables: Tables, isOne: (column: Tables[string]['columns'][string]) => boolean): Place[] =>
  Object.entries(tables).flatMap(([table, { columns }]) => {
    const names = Object.entries(columns).flatMap(([name, column]) => (isOne(column) ? [name] : []));
    return names.length > 0 ? [{ table, names }] : [];
  });

/** Texts, from which the address is taken out. */
export const searchedIn = (tables: Tables): Place[] =>
  placesOf(
    tables,
    (column) =>
      column === 'found' || column === 'goes, found' || (typeof column === 'object' && column.found === true),
  );
/** Names of sums: one that holds the address is replaced whole. */
export const countedNames = (tables: Tables): Place[] =>
  placesOf(tables, (column) => column === 'counted, found');

const anyMay = (...texts: string[]) => texts.map((text) => `may_hold_address(${text})`).join(' or ');
// a name was cut at its longest, maybe inside an address
const NAMES = `(${anyMay('name', 'detail')} or length(name) = 512 or length(detail) = 512)`;
/** The conditions of the partial indexes (…_holding_addresses), word for word: other rows are never looked at. */
export const INDEXED: Record<string, string> = {
  events: `(${anyMay('path', 'referrer', 'utm::text', 'props::text')})`,
  sessions: `(${anyMay('landing_path', 'referrer', 'utm::text')})`,
  visit_facts: 'has_at',
  visit_origins: 'has_at',
  visit_paths: 'has_at',
  daily_breakdowns: NAMES,
  open_names: NAMES,
  imported_days: NAMES,
};

// Part of a row's key: two that differed only by the address must go on to differ, within their longest.
const KEYS: Record<string, Record<string, number>> = { conversions: { conversion_id: 200 } };

/** SQL: a column without the pattern $2. */
export function withoutAddress(table: string, name: string, type: string): string {
  const longest = KEYS[table]?.[name];
  if (longest)
    return `${name} = case when ${name} ~* $2 then left(regexp_replace(${name}, $2, '', 'gi'), ${longest - 46}) || '(erased ' || gen_random_uuid() || ')' else ${name} end`;
  return `${name} = regexp_replace(${name}::text, $2, '(erased)', 'gi')${type === 'text' ? '' : `::${type}`}`;
}

/** SQL: whether a row holds the pattern $2 in one of its texts. */
export const holding = (table: string, names: string[]): string =>
  `${INDEXED[table] ?? 'true'} and (${names.map((name) => `${name}::text ~* $2`).join(' or ')})`;

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
/** As it is, or as a URL writes it. */
const written = (spellings: string[]) => [
  ...new Set(
    spellings.flatMap((spelling) => [spelling, encodeURIComponent(spelling), spelling.replace('@', '%40')]),
  ),
];
const anyOf = (texts: string[]) =>
  `(${texts
    .sort((a, b) => b.length - a.length)
    .map(literal)
    .join('|')})`;

/** The address as it may stand in a text. A pattern for regexp_replace and ~*. */
export const patternOf = (spellings: string[]): string => anyOf(written(spellings));

// shorter beginnings of an address say nothing
const BEGINNING_MIN = 4;
/** Beginnings of the address at the end of a name: names were cut at their longest, maybe inside it. */
const cutPatternOf = (spellings: string[]): string =>
  `${anyOf(
    written(spellings).flatMap((text) =>
      Array.from({ length: Math.max(0, text.length - BEGINNING_MIN) }, (_, n) =>
        text.slice(0, BEGINNING_MIN + n),
      ),
    ),
  )}$`;
const LONGEST_NAME = 512;

/** By column. Empty when there is no such table. */
export async function typesOf(db: Db, table: string): Promise<Map<string, string>> {
  const { rows } = await db.query<{ name: string; type: string }>(
    'select attname as name, atttypid::regtype::text as type from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped',
    [`public.${table}`],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/**
 * Rows that are summed under a name with the address in it are summed under [erased] instead, with what is there already:
 * no sum of a day changes, of sealed days too.
 * returns  how many rows there were
 */
export async function eraseNames(
  db: Db,
  siteId: string,
  { table, names }: Place,
  spellings: string[],
): Promise<number> {
  const columns = [...(await typesOf(db, table))];
  const isSum = (type: string) => ['bigint', 'integer', 'numeric'].includes(type);
  const sums = columns.flatMap(([name, type]) => (isSum(type) ? [name] : []));
  const keys = columns.flatMap(([name, type]) => (isSum(type) ? [] : [name]));
  const isIt = (name: string) => `(${name} ~* $2 or (length(${name}) = ${LONGEST_NAME} and ${name} ~* $3))`;
  const erased = keys.map((key) =>
    names.includes(key) ? `case when ${isIt(key)} then '[erased]' else ${key} end` : key,
  );
  const together = sums.map(
    (sum) =>
      // null: not counted for a row of this kind
      `${sum} = case when num_nonnulls(t.${sum}, excluded.${sum}) > 0 then coalesce(t.${sum}, 0) + coalesce(excluded.${sum}, 0) end`,
  );
  const { rows } = await db.query<{ gone: number }>(
    `with gone as (
       delete from ${table} where site_id = $1 and ${INDEXED[table] ?? 'true'} and (${names.map(isIt).join(' or ')}) returning *
     ), summed as (
       insert into ${table} as t (${[...keys, ...sums].join(', ')})
       select ${[...erased, ...sums.map((sum) => `sum(${sum})`)].join(', ')} from gone group by ${erased.map((_, n) => n + 1).join(', ')}
       on conflict (${keys.join(', ')}) do update set ${together.join(', ')}
     )
     select count(*)::int as gone from gone`,
    [siteId, patternOf(spellings), cutPatternOf(spellings)],
  );
  return rows[0]!.gone;
}
