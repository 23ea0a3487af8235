// Gives a browser's visits to a nameless visitor: they stay for counting, without what says anything about whose they were.
import { randomUUID } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import type { TableRule, Tables } from '../../ground/tables.ts';

/** SQL of what is emptied. */
export const scrubbed = ({ columns }: TableRule): string =>
  Object.entries(columns)
    .flatMap(([name, column]) => (typeof column === 'object' ? [`${name} = ${column.scrub}`] : []))
    .join(', ');

/** SQL of an update that gives rows of the visitors in $2 ({from, to_id}) to others. */
const moving = (rule: TableRule) =>
  rule.moved === 'in visitor_ids'
    ? `visitor_ids = (select array_agg(coalesce(m.to_id, v.id)) from unnest(t.visitor_ids) as v (id)
         left join json_to_recordset($2) as m ("from" uuid, to_id uuid) on m."from" = v.id)
       where t.site_id = $1 and t.visitor_ids && array(select "from" from json_to_recordset($2) as m ("from" uuid))`
    : `${['visitor_id = moves.to_id', scrubbed(rule)].filter(Boolean).join(', ')}
       from json_to_recordset($2) as moves ("from" uuid, to_id uuid) where t.site_id = $1 and t.visitor_id = moves."from"`;

export interface Moved {
  /** Rows by table. */
  rows: Record<string, number>;
  /** Days of the site that are to be counted again. */
  days: string[];
}

/** In order of their ids, as batches lock them; from here on nothing more is written for these. */
export async function moveVisits(
  db: Db,
  tables: Tables,
  siteId: string,
  visitorIds: string[],
): Promise<Moved> {
  await db.query(
    'select from visitors where site_id = $1 and visitor_id = any ($2) order by visitor_id for update',
    [siteId, visitorIds],
  );
  const moved: Moved = { rows: {}, days: [] };
  const moves = visitorIds.map((from) => ({ from, to_id: randomUUID() }));
  for (const [table, rule] of Object.entries(tables).filter(([, rule]) => rule.moved)) {
    // The browser starts anew when it comes back: its id is made from the site and its anonId, and no row has that now.
    const { rowCount, rows } = await db.query<{ day: string }>(
      `update ${table} t set ${moving(rule)}${table === 'events' ? ' returning site_day($1, t.occurred_at) as day' : ''}`,
      [siteId, JSON.stringify(moves)],
    );
    if (rowCount) moved.rows[table] = rowCount;
    if (table === 'events') moved.days.push(...new Set(rows.map(({ day }) => day)));
  }
  // what was made of their visits alone, and says nothing without whose they were
  for (const [table, { whose, moved: isMoved }] of Object.entries(tables)) {
    if (whose !== 'visitor' || isMoved) continue;
    const gone = await db.query(`delete from ${table} where site_id = $1 and visitor_id = any ($2)`, [
      siteId,
      visitorIds,
    ]);
    if (gone.rowCount) moved.rows[table] = gone.rowCount;
  }
  return moved;
}

/** They are counted again: names that were emptied change, no sum does. */
export const recount = (db: Db, siteId: string, days: Iterable<string>) =>
  db.query("insert into dirty_days (site_id, day, cause) select $1, unnest($2::date[]), 'erasure'", [
    siteId,
    [...days],
  ]);
