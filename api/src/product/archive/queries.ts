// The SQL door of the archive: what lies in the bucket, what is to go from there, and what was asked back.
import type { Db } from '../../ground/db/pool.ts';
import type { Taken } from './columns.ts';
import type { Archive, Restore } from './schema.ts';

/** Raw rows of a UTC day of one site, in the order of time. $1: the site, $2: the day */
export const SELECT_RAW = `select site_id, event_id, visitor_id, session_id, site_day(site_id, occurred_at) as site_day, occurred_at, received_at,
    event_type, path, referrer, source, utm, bot_reason, clamped, privacy_signal, is_conversion, engaged_ms, scroll_percent, fcp_ms, lcp_ms, inp_ms,
    ttfb_ms, cls_score, props, device_type, browser, os, country
  from events where site_id = $1 and occurred_at >= $2::date::timestamp at time zone 'UTC' and occurred_at < ($2::date + 1)::timestamp at time zone 'UTC'
  order by occurred_at, event_id`;

/** Of each visitor of that day the beginning of the id's SHA-256, as columns.ts makes it. */
export const SELECT_MARKS = `select coalesce(string_agg(mark, ''::bytea order by mark), ''::bytea) as marks from (
    select distinct substring(sha256(convert_to(visitor_id::text, 'UTF8')) from 1 for 6) as mark from events
    where site_id = $1 and occurred_at >= $2::date::timestamp at time zone 'UTC' and occurred_at < ($2::date + 1)::timestamp at time zone 'UTC') marks`;

export interface Sum {
  siteId: string;
  rows: number;
  sum: string;
}

/** Of the raw rows of a UTC day, by site. */
export async function sumsOf(db: Db, day: string): Promise<Sum[]> {
  const { rows } = await db.query<Sum>(
    'select site_id as "siteId", raw_rows as rows, raw_sum::text as sum from archive_sums($1)',
    [day],
  );
  return rows;
}

/** UTC days before that one which have a partition of their own, the oldest first. */
export async function daysBefore(db: Db, before: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `select to_date(substr(c.relname, 8), 'YYYYMMDD')::text as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'public.events'::regclass and c.relname ~ '^events_\\d{8}$'
       and c.relname < 'events_' || to_char($1::date, 'YYYYMMDD') order by 1`,
    [before],
  );
  return rows.map(({ day }) => day);
}

/** Sites of which the archive does not hold exactly these rows. */
export async function notArchived(db: Db, day: string, sums: readonly Sum[]): Promise<string[]> {
  const { rows } = await db.query<{ siteId: string }>(
    `select s.site_id as "siteId" from json_to_recordset($2) as s (site_id uuid, rows integer, sum numeric)
     where not exists (select from archives a where a.site_id = s.site_id and a.day = $1 and a.raw_rows = s.rows and a.raw_sum = s.sum)
     order by 1`,
    [day, JSON.stringify(sums.map(({ siteId, rows, sum }) => ({ site_id: siteId, rows, sum })))],
  );
  return rows.map(({ siteId }) => siteId);
}

export interface Listed {
  siteId: string;
  day: string;
  file: string;
  rows: number;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

const LISTED = `site_id as "siteId", day::text as day, file, rows, bytes, encode(sha256, 'hex') as sha256`;

export async function findArchive(
  db: Db,
  siteId: string,
  day: string,
): Promise<(Listed & { visitors: Buffer }) | null> {
  const { rows } = await db.query<Listed & { visitors: Buffer }>(
    `select ${LISTED}, visitors from archives where site_id = $1 and day = $2`,
    [siteId, day],
  );
  return rows[0] ?? null;
}

export async function listedDays(db: Db, siteId: string, from: string, to: string): Promise<Listed[]> {
  const { rows } = await db.query<Listed>(
    `select ${LISTED} from archives where site_id = $1 and day between $2 and $3 order by day`,
    [siteId, from, to],
  );
  return rows;
}

/** Every file that is an archive, or is noted to go. */
export async function knownFiles(db: Db): Promise<{ siteId: string; file: string; day: string | null }[]> {
  const { rows } = await db.query<{ siteId: string; file: string; day: string | null }>(
    `select site_id as "siteId", file, day::text as day from archives
     union all select site_id, file, null from archive_removals`,
  );
  return rows;
}

/** Before an upload: what is left of one that is cut off is found by this. */
export const noteFile = (db: Db, siteId: string, file: string) =>
  db.query('insert into archive_removals (site_id, file) values ($1, $2) on conflict do nothing', [
    siteId,
    file,
  ]);

export const filesToRemove = async (db: Db): Promise<{ siteId: string; file: string }[]> =>
  (
    await db.query<{ siteId: string; file: string }>(
      'select site_id as "siteId", file from archive_removals order by since, file',
    )
  ).rows;

export const forgetFile = (db: Db, siteId: string, file: string) =>
  db.query('delete from archive_removals where site_id = $1 and file = $2', [siteId, file]);

export interface NewArchive extends Listed {
  schemaVersion: number;
  visitors: Buffer;
  /** Of the raw rows it was made from; null: made from the file before it. */
  raw: { rows: number; sum: string } | null;
}

/** In the place of the one before, which is noted to go. */
export async function listArchive(db: Db, made: NewArchive): Promise<void> {
  const { siteId, day, file, rows, bytes, sha256, schemaVersion, visitors, raw } = made;
  await db.query(
    `insert into archive_removals (site_id, file) select site_id, file from archives where site_id = $1 and day = $2 and file <> $3
     on conflict do nothing`,
    [siteId, day, file],
  );
  await db.query(
    `insert into archives as a (site_id, day, file, rows, bytes, sha256, schema_version, raw_rows, raw_sum, visitors)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, coalesce($8::integer, 0), coalesce($9::numeric, 0), $10)
     on conflict (site_id, day) do update set file = excluded.file, rows = excluded.rows, bytes = excluded.bytes, sha256 = excluded.sha256,
       schema_version = excluded.schema_version, visitors = excluded.visitors, raw_rows = coalesce($8::integer, a.raw_rows), raw_sum = coalesce($9::numeric, a.raw_sum),
       archived_at = case when $8::integer is null then a.archived_at else now() end, rewritten_at = case when $8::integer is null then now() end`,
    [siteId, day, file, rows, bytes, sha256, schemaVersion, raw?.rows ?? null, raw?.sum ?? null, visitors],
  );
  await forgetFile(db, siteId, file);
}

export const endErasures = (db: Db, siteId: string, day: string, upTo: number) =>
  db.query('delete from archive_erasures where site_id = $1 and day = $2 and erasure_no <= $3', [
    siteId,
    day,
    upTo,
  ]);

/** Days of files out of which somebody is yet to be taken. */
export async function daysToErase(db: Db): Promise<{ siteId: string; day: string }[]> {
  const { rows } = await db.query<{ siteId: string; day: string }>(
    'select site_id as "siteId", day::text as day from archive_erasures group by 1, 2 order by min(since), 1, 2',
  );
  return rows;
}

/** upTo: the last of them */
export async function takenOf(
  db: Db,
  siteId: string,
  day: string,
): Promise<(Taken & { upTo: number }) | null> {
  const { rows } = await db.query<{
    no: number;
    visitor: string | null;
    event: string | null;
    becomes: string;
  }>(
    `select erasure_no as no, taken_visitor as visitor, taken_event as event, becomes from archive_erasures
     where site_id = $1 and day = $2 order by erasure_no`,
    [siteId, day],
  );
  if (rows.length === 0) return null;
  return {
    visitors: new Map(rows.flatMap(({ visitor, becomes }) => (visitor ? [[visitor, becomes] as const] : []))),
    events: new Set(rows.flatMap(({ event }) => event ?? [])),
    upTo: rows.at(-1)!.no,
  };
}

const SHOWN = `a.day::text as day, a.file, a.rows, a.bytes::float8 as bytes, encode(a.sha256, 'hex') as sha256, a.schema_version as "schemaVersion",
  instant_text(a.archived_at) as "archivedAt", instant_text(a.rewritten_at) as "rewrittenAt",
  (select count(*)::int from archive_erasures e where e.site_id = a.site_id and e.day = a.day) as "erasuresWaiting"`;

/** The newest first. before: where the page before ended */
export async function pageOfArchives(
  db: Db,
  siteId: string,
  limit: number,
  before: string | null,
): Promise<Archive[]> {
  const { rows } = await db.query<Archive>(
    `select ${SHOWN} from archives a where a.site_id = $1 and ($2::date is null or a.day < $2) order by a.day desc limit $3`,
    [siteId, before, limit],
  );
  return rows;
}

const RESTORE = `restore_id as "restoreId", site_id as "siteId", from_day::text as "from", to_day::text as "to", state, days, rows::float8 as rows, why,
  instant_text(requested_at) as "requestedAt", instant_text(finished_at) as "finishedAt",
  instant_text(date_trunc('day', finished_at, 'UTC') + interval '8 days') as "endsAt"`;

/** returns the one that waits for the same days; null while one for others waits */
export async function askForRestore(
  db: Db,
  siteId: string,
  from: string,
  to: string,
  actor: string,
): Promise<Restore | null> {
  const { rows } = await db.query<Restore>(
    `insert into archive_restores (site_id, from_day, to_day, requested_by) values ($1, $2, $3, $4)
     on conflict (site_id) where state = 'waiting' do update set requested_by = archive_restores.requested_by
     returning ${RESTORE}`,
    [siteId, from, to, actor],
  );
  const [asked] = rows;
  return asked && asked.from === from && asked.to === to ? asked : null;
}

/** The newest first. */
export async function pageOfRestores(
  db: Db,
  siteId: string,
  limit: number,
  before: string | null,
): Promise<Restore[]> {
  const { rows } = await db.query<Restore>(
    `select ${RESTORE} from archive_restores where site_id = $1 and ($2::uuid is null or restore_id < $2) order by restore_id desc limit $3`,
    [siteId, before, limit],
  );
  return rows;
}

export async function waitingRestores(
  db: Db,
): Promise<{ siteId: string; restoreId: string; from: string; to: string }[]> {
  const { rows } = await db.query<{ siteId: string; restoreId: string; from: string; to: string }>(
    `select site_id as "siteId", restore_id as "restoreId", from_day::text as "from", to_day::text as "to"
     from archive_restores where state = 'waiting' order by requested_at`,
  );
  return rows;
}

export const finishRestore = (
  db: Db,
  siteId: string,
  restoreId: string,
  { days, rows, why }: { days: number; rows: number; why: string | null },
) =>
  db.query(
    `update archive_restores set state = $3, days = $4, rows = $5, why = $6, finished_at = now() where site_id = $1 and restore_id = $2`,
    [siteId, restoreId, why === null ? 'done' : 'failed', days, rows, why],
  );

/** message: null when all was well */
export const noteRun = (db: Db, message: string | null, daysWaiting: number) =>
  db.query(
    `insert into archive_runs as r (at, message, failing_since, days_waiting) values (now(), $1, case when $1::text is not null then now() end, $2)
     on conflict (one) do update set at = now(), message = $1, days_waiting = $2,
       failing_since = case when $1::text is not null then coalesce(r.failing_since, now()) end`,
    [message, daysWaiting],
  );

/** What is older than the bound. returns how many that are */
export async function endArchives(db: Db, bound: Date, dryRun: boolean): Promise<number> {
  const over = "site_id = any (current_sites()) and day < ($1::timestamptz at time zone 'UTC')::date";
  if (dryRun) {
    const { rows } = await db.query<{ count: number }>(
      `select count(*) as count from archives where ${over}`,
      [bound],
    );
    return rows[0]!.count;
  }
  const { rowCount } = await db.query(
    `with gone as (delete from archives where ${over} returning site_id, file)
     insert into archive_removals (site_id, file) select site_id, file from gone on conflict do nothing`,
    [bound],
  );
  return rowCount ?? 0;
}
