// The SQL door of imports. Inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Kind, Source } from './kinds.ts';
import type { Import, ImportedRow } from './schema.ts';

const SUMS = ['visitors', 'visits', 'pageviews', 'bounces', 'seconds', 'events'];

/** importId  null: all of the site, the newest first */
export async function findImports(db: Db, siteId: string, importId: string | null): Promise<Import[]> {
  const { rows } = await db.query<Import>(
    `select i.import_id as "importId", i.site_id as "siteId", i.source, i.files, i.time_zone as timezone, i.made_by as "madeBy",
       instant_text(i.created_at) as "createdAt", instant_text(i.finished_at) as "finishedAt", b.rows, b.batches,
       d.first_day::text as "firstDay", d.last_day::text as "lastDay", d.days, d.sums
     from imports i
     cross join lateral (select coalesce(sum(rows), 0)::int as rows, count(*)::int as batches from import_batches b
       where b.site_id = i.site_id and b.import_id = i.import_id) b
     cross join lateral (select min(day) as first_day, max(day) as last_day, count(*)::int as days,
         json_build_object(${SUMS.map((name) => `'${name}', coalesce(sum(${name}), 0)::bigint`).join(', ')}) as sums
       from imported_days d where d.site_id = i.site_id and d.import_id = i.import_id and d.kind = 'total') d
     where i.site_id = $1 and ($2::uuid is null or i.import_id = $2) order by i.import_id desc`,
    [siteId, importId],
  );
  return rows;
}

export async function insertImport(
  db: Db,
  siteId: string,
  one: { source: Source; files: object[]; timezone: string; madeBy: string },
): Promise<string> {
  const { rows } = await db.query<{ import_id: string }>(
    'insert into imports (site_id, source, files, time_zone, made_by) values ($1, $2, $3, $4, $5) returning import_id',
    [siteId, one.source, JSON.stringify(one.files), one.timezone, one.madeBy],
  );
  return rows[0]!.import_id;
}

/** Held until the end of the transaction: batches of one import come one after the other. */
export async function lockImport(
  db: Db,
  siteId: string,
  importId: string,
): Promise<{ isFinished: boolean } | null> {
  const { rows } = await db.query<{ isFinished: boolean }>(
    'select finished_at is not null as "isFinished" from imports where site_id = $1 and import_id = $2 for update',
    [siteId, importId],
  );
  return rows[0] ?? null;
}

export async function findBatch(
  db: Db,
  siteId: string,
  importId: string,
  seq: number,
): Promise<{ digest: Buffer | null; rows: number }> {
  const { rows } = await db.query<{ digest: Buffer | null; rows: number }>(
    `select (select digest from import_batches where site_id = $1 and import_id = $2 and seq = $3) as digest,
       (select coalesce(sum(rows), 0)::int from import_batches where site_id = $1 and import_id = $2) as rows`,
    [siteId, importId, seq],
  );
  return rows[0]!;
}

/** Names of one row twice are one: their counts are added. */
export async function insertRows(
  db: Db,
  siteId: string,
  importId: string,
  batch: { seq: number; kind: Kind; rows: ImportedRow[]; digest: Buffer },
): Promise<void> {
  await db.query(
    'insert into import_batches (site_id, import_id, seq, digest, rows) values ($1, $2, $3, $4, $5)',
    [siteId, importId, batch.seq, batch.digest, batch.rows.length],
  );
  await db.query(
    `insert into imported_days as d (site_id, import_id, kind, day, name, detail, ${SUMS.join(', ')})
     select $1, $2, $3, day, name, detail, ${SUMS.map((name) => `sum(${name})`).join(', ')}
     from json_to_recordset($4) as come (day date, name text, detail text, ${SUMS.map((name) => `${name} bigint`).join(', ')})
     group by day, name, detail
     on conflict (site_id, day, kind, name, detail, import_id) do update set ${SUMS.map((name) => `${name} = d.${name} + excluded.${name}`).join(', ')}`,
    [siteId, importId, batch.kind, JSON.stringify(batch.rows)],
  );
}

/** The first day that has own events, else the day after the site's today: what is imported lies before it. */
export async function findFirstOwnDay(db: Db, siteId: string): Promise<string> {
  const { rows } = await db.query<{ day: string }>(
    `select coalesce((select min(day) from daily_metric_rollups where site_id = $1 and human_events > 0), site_day($1, now()) + 1)::text as day`,
    [siteId],
  );
  return rows[0]!.day;
}

/** The first day that another finished import has too. */
export async function findOverlap(db: Db, siteId: string, importId: string): Promise<string | null> {
  const { rows } = await db.query<{ day: string | null }>(
    `select min(a.day)::text as day from imported_days a join imported_days b using (site_id, day, kind)
     join imports i on i.site_id = b.site_id and i.import_id = b.import_id and i.finished_at is not null
     where a.site_id = $1 and a.import_id = $2 and b.import_id <> $2 and a.kind = 'total'`,
    [siteId, importId],
  );
  return rows[0]!.day;
}

export async function finish(db: Db, siteId: string, importId: string): Promise<void> {
  await db.query(
    'update imports set finished_at = coalesce(finished_at, now()) where site_id = $1 and import_id = $2',
    [siteId, importId],
  );
}

export async function deleteImport(db: Db, siteId: string, importId: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from imports where site_id = $1 and import_id = $2', [
    siteId,
    importId,
  ]);
  return rowCount === 1;
}
