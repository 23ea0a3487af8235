// What was read back from the archive, into the table where it may be looked at for a week.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { type ArchiveRow, COLUMNS } from './columns.ts';
import { ERASED_LOCK } from './marks.ts';

const ROWS_AT_ONCE = 1000;
const TYPES: Record<(typeof COLUMNS)[number]['type'], string> = {
  UUID: 'uuid',
  DATE: 'date',
  TIMESTAMP: 'timestamptz',
  STRING: 'text',
  JSON: 'jsonb',
  BOOLEAN: 'boolean',
  INT32: 'integer',
  FLOAT: 'real',
};
const NAMES = COLUMNS.map(({ name }) => name).join(', ');
const INSERT = `insert into restored_events (day, ${NAMES})
  select $1, ${NAMES} from json_to_recordset($2) as r (${COLUMNS.map(({ name, type }) => `${name} ${TYPES[type]}`).join(', ')})`;

const asText = (row: ArchiveRow): ArchiveRow =>
  row.site_day instanceof Date ? { ...row, site_day: row.site_day.toISOString().slice(0, 10) } : row;

/** In the place of what is there of that day. returns how many rows are there */
export async function fillRestored(
  db: Pool,
  { siteId, day }: { siteId: string; day: string },
  groups: AsyncIterable<ArchiveRow[]>,
): Promise<number> {
  // by itself: an erasure that deletes the same rows would wait for us, and we for it
  await inSites(db, siteId, (tx) =>
    tx.query('delete from restored_events where site_id = $1 and day = $2', [siteId, day]),
  );
  return inSites(db, siteId, async (tx) => {
    for await (const group of groups)
      for (let at = 0; at < group.length; at += ROWS_AT_ONCE)
        await tx.query(INSERT, [day, JSON.stringify(group.slice(at, at + ROWS_AT_ONCE).map(asText))]);
    await takeErased(tx, siteId, day);
    const { rows } = await tx.query<{ count: number }>(
      'select count(*) as count from restored_events where site_id = $1 and day = $2',
      [siteId, day],
    );
    return rows[0]!.count;
  });
}

/** Whoever is erased now waits until these rows are seen, and deletes them; whoever was, is taken out here. */
async function takeErased(tx: Db, siteId: string, day: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [ERASED_LOCK]);
  await tx.query(
    `delete from restored_events r using archive_erasures e
     where r.site_id = $1 and r.day = $2 and e.site_id = $1 and e.day = $2
       and (r.visitor_id = e.taken_visitor or r.event_id = e.taken_event)`,
    [siteId, day],
  );
}
