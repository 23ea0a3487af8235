// Lists of any length, read piece by piece as JSON texts: PostgreSQL writes them, and no piece is larger than it may be.
import type { Db, Pool } from './pool.ts';
import { inSites } from './transaction.ts';

export interface ListOf {
  /** The table, called t; $1 is the site. */
  table: string;
  /** SQL of which rows; with $2 and on. */
  where: string;
  /** Further tables that a row's columns come from. */
  joins?: string;
  /** SQL of what is told of a row, each named as in JSON. */
  columns: string;
  /** By what it is ordered, and pieces go on: columns of t with their types, together unique. */
  key: readonly (readonly [name: string, type: string])[];
  newestFirst: boolean;
}

export interface Piece {
  /** A JSON text a row. */
  lines: string[];
  /** What the next piece begins after; null: this was all. */
  next: string[] | null;
}

const BYTES_MAX = 512 * 1024;
const ROWS_FIRST = 64;
const ROWS_MAX = 1000;

/**
 * after   `next` of the piece before
 * returns at most so many rows and bytes, but always one row when there is one; inside inSites
 */
export async function readPiece(
  db: Db,
  list: ListOf,
  values: readonly unknown[],
  { rowsMax, bytesMax, after = null }: { rowsMax: number; bytesMax: number; after?: string[] | null },
): Promise<Piece> {
  const { rows } = await db.query<{ line: string; key: string[]; found: number }>(
    pieceSql(list, values.length, rowsMax, bytesMax, after !== null),
    [...values, ...(after ?? [])],
  );
  const isAll = (rows[0]?.found ?? 0) === rows.length;
  return { lines: rows.map(({ line }) => line), next: isAll ? null : rows.at(-1)!.key };
}

function pieceSql(
  { table, where, joins = '', columns, key, newestFirst }: ListOf,
  valueCount: number,
  rowsMax: number,
  bytesMax: number,
  goesOn: boolean,
): string {
  const order = key.map(([name]) => `t.${name}${newestFirst ? ' desc' : ''}`).join(', ');
  const places = key.map(([, type], n) => `$${valueCount + n + 1}::${type}`).join(', ');
  const names = key.map(([name]) => `t.${name}`);
  const after = goesOn ? `and (${names.join(', ')}) ${newestFirst ? '<' : '>'} (${places})` : '';
  // the row is made into JSON after it was chosen: sorting carries no texts
  return `with chosen as (
      select t.* from ${table} t where ${where} ${after} order by ${order} limit ${rowsMax + 1}
    ), told as (
      select row_number() over (order by ${order}) as n, array[${names.map((name) => `${name}::text`).join(', ')}] as key,
        (select row_to_json(shown)::text from (select ${columns}) shown) as line
      from chosen t ${joins}
    )
    select line, key, found from (
      select n, key, line, count(*) over () as found, sum(octet_length(line)) over (order by n) as bytes from told
    ) weighed where n <= ${rowsMax} and (n = 1 or bytes <= ${bytesMax}) order by n`;
}

/**
 * All of a list. Each piece is a transaction of its own: who reads slowly keeps no connection. Rows that do not fit into a
 * piece were made in vain, so the next one asks for about as many as did.
 */
export async function* inPieces(
  pool: Pool,
  siteId: string,
  list: ListOf,
  values: readonly unknown[],
): AsyncGenerator<string[]> {
  let after: string[] | null = null;
  let rowsMax = ROWS_FIRST;
  do {
    const from: string[] | null = after;
    const piece: Piece = await inSites(pool, siteId, (db) =>
      readPiece(db, list, values, { rowsMax, bytesMax: BYTES_MAX, after: from }),
    );
    const got = piece.lines.length;
    rowsMax = got < rowsMax ? Math.ceil(got * 1.1) + 1 : Math.min(rowsMax * 2, ROWS_MAX);
    if (piece.lines.length > 0) yield piece.lines;
    after = piece.next;
  } while (after);
}
