// Walks the rows that may hold an address piece by piece, so that no statement takes long whatever strangers wrote.

import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Tables } from '../../ground/tables.ts';
import {
  countedNames,
  holding,
  INDEXED,
  type Place,
  patternOf,
  searchedIn,
  typesOf,
  withoutAddress,
} from './mentions.ts';

/** Rows a statement looks at; a piece ends between two values of its order, so a few more may share the last. */
export const PIECE_ROWS = 5000;

interface Order {
  /** The second column of the table's partial index. */
  column: string;
  type: 'timestamptz' | 'uuid';
  /** The value from which on rows are that were written at an instant or later; null: the order is another one. */
  from: ((at: number) => string) | null;
}
/** Tables that grow with every event. The others are looked at in one statement. */
const WALKED: Record<string, Order> = {
  events: { column: 'received_at', type: 'timestamptz', from: (at) => new Date(at).toISOString() },
  // a version 7 uuid begins with the millisecond it was made in
  sessions: {
    column: 'session_id',
    type: 'uuid',
    from: (at) =>
      at
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})(.{4})$/, '$1-$2-7000-8000-000000000000'),
  },
  // last, and made anew from the other two: their days are counted again
  visit_facts: { column: 'visitor_id', type: 'uuid', from: null },
};

const isWalked = (table: string): boolean => table in WALKED;

/** SQL of a piece: with $3 exclusive, $4 inclusive. */
const inPiece = (table: string) => {
  const { column, type } = WALKED[table]!;
  return `($3::${type} is null or ${column} > $3::${type}) and ${column} <= $4::${type}`;
};

/** Runs something in a transaction: each time in one of its own, or in one that is there. */
type Run = <T>(work: (db: Db) => Promise<T>) => Promise<T>;

/** look  is given SQL of which rows of the table a piece has, and the values of its $3 and $4; $1 is the site, $2 the caller's */
async function walk(
  run: Run,
  siteId: string,
  table: string,
  look: (db: Db, piece: string, values: unknown[]) => Promise<void>,
): Promise<void> {
  const { column, type } = WALKED[table]!;
  let after: string | null = null;
  for (;;) {
    const from: string | null = after;
    after = await run(async (db): Promise<string | null> => {
      const { rows } = await db.query<{ last: string }>(
        `select place::text as last from (
           select ${column} as place from ${table} where site_id = $1 and ${INDEXED[table]} ${from === null ? '' : `and ${column} > $2::${type}`}
           order by ${column} limit ${PIECE_ROWS}) piece
         order by place desc limit 1`,
        from === null ? [siteId] : [siteId, from],
      );
      const last = rows[0]?.last ?? null;
      if (last !== null) await look(db, inPiece(table), [from, last]);
      return last;
    });
    if (after === null) return;
  }
}

/** Takes the address out of a table's rows; of which days events were changed is noted for the rollup. */
async function takeOut(
  db: Db,
  siteId: string,
  { table, names }: Place,
  pattern: string,
  which = 'true',
  values: unknown[] = [],
): Promise<number> {
  const types = await typesOf(db, table);
  if (types.size === 0) return 0;
  const set = names.map((name) => withoutAddress(table, name, types.get(name)!));
  const update = `update ${table} set ${set.join(', ')} where site_id = $1 and ${holding(table, names)} and ${which}`;
  if (table !== 'events') return (await db.query(update, [siteId, pattern, ...values])).rowCount ?? 0;
  const { rows } = await db.query<{ count: number }>(
    `with changed as (${update} returning site_day($1, occurred_at) as day),
       marked as (insert into dirty_days (site_id, day, cause) select distinct $1::uuid, day, 'erasure' from changed)
     select count(*)::int as count from changed`,
    [siteId, pattern, ...values],
  );
  return rows[0]!.count;
}

/**
 * What others wrote of the address, out of the tables that grow with every event: before the erasure of the person, since
 * nobody has to wait for it, and each piece whole in itself. What is done twice changes nothing.
 * returns  by table, how many rows were changed
 */
export async function takeOutOutside(
  pool: Pool,
  tables: Tables,
  siteId: string,
  spellings: string[],
): Promise<Record<string, number>> {
  const changed: Record<string, number> = {};
  const alone: Run = (work) => withRetries(() => inSites(pool, siteId, work));
  const pattern = patternOf(spellings);
  const places = new Map(searchedIn(tables).map((place) => [place.table, place]));
  for (const table of Object.keys(WALKED)) {
    let rows = 0;
    await walk(alone, siteId, table, async (db, piece, values) => {
      rows += await takeOut(db, siteId, places.get(table)!, pattern, piece, values);
    });
    if (rows > 0) changed[table] = rows;
  }
  return changed;
}

/**
 * The same in the transaction of the erasure: of every other table, and of these what came since.
 * walkedAt  instant at which takeOutOutside began
 */
export async function takeOutInside(
  db: Db,
  siteId: string,
  place: Place,
  pattern: string,
  walkedAt: number,
): Promise<number> {
  if (!isWalked(place.table)) return takeOut(db, siteId, place, pattern);
  const rest = since(place.table, walkedAt - UNDER_WAY_MS);
  return rest ? takeOut(db, siteId, place, pattern, rest.where, [rest.value]) : 0;
}

// A batch that was being written when a walk began has rows that are older than it by up to this.
const UNDER_WAY_MS = 60_000;
/** SQL of what a walk that began at this instant may not have seen; null: nothing is left to be looked at. */
function since(table: string, at: number): { where: string; value: string } | null {
  const order = WALKED[table];
  if (!order?.from) return null;
  return { where: `${order.column} >= $3::${order.type}`, value: order.from(at) };
}

/** In how many rows the address stands, by table. */
export async function countMentions(
  db: Db,
  tables: Tables,
  siteId: string,
  spellings: string[],
): Promise<Record<string, number>> {
  const mentions: Record<string, number> = {};
  for (const { table, names } of [...searchedIn(tables), ...countedNames(tables)]) {
    let found = 0;
    const look = async (_: Db, piece: string, values: unknown[]) => {
      const { rows } = await db.query<{ count: number }>(
        `select count(*)::int as count from ${table} where site_id = $1 and ${holding(table, names)} and ${piece}`,
        [siteId, patternOf(spellings), ...values],
      );
      found += rows[0]!.count;
    };
    if (isWalked(table)) await walk((work) => work(db), siteId, table, look);
    else await look(db, 'true', []);
    if (found > 0) mentions[table] = found;
  }
  return mentions;
}
