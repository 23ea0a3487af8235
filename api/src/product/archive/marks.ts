// Notes whose rows are to be taken out of which files, within the erasure's transaction; a job writes the files anew.
import { randomUUID } from 'node:crypto';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { type Forgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { markOf } from './columns.ts';

/** Held shared by erasures, and alone by who lists or drops a day, or brings one back: neither misses the other. */
export const ERASED_LOCK = 7_301_052;

export type ArchivedOf = Extract<Forgotten, { kind: 'archive' }>;

export interface Erased {
  siteId: string;
  /** Browsers that are the person's alone. */
  visitorIds: readonly string[];
  /** Of forms that they sent: where the browser is another's too, or no longer known. */
  events: readonly { eventId: string; at: string }[];
}

/**
 * Before anything else of the erasure is written: a day that goes into the archive now is either listed by then, or its raw
 * rows are looked at again before they go.
 * journal  path; null: none
 * returns  how many files hold rows of theirs, which is never more than a few too many
 */
export async function eraseInArchives(db: Db, erased: Erased, journal: string | null): Promise<number> {
  await db.query('select pg_advisory_xact_lock_shared($1)', [ERASED_LOCK]);
  const { siteId, visitorIds, events } = erased;
  if (visitorIds.length + events.length === 0) return 0;
  const entry: ArchivedOf = {
    kind: 'archive',
    siteId,
    visitors: [...visitorIds],
    events: events.map(({ eventId, at }) => [eventId, at.slice(0, 10)]),
    at: new Date().toISOString(),
  };
  const files = await markFiles(db, entry);
  if (files > 0 && journal) await rememberForgotten(journal, entry);
  return files;
}

/** After a restore of an older database, and of a file that was found again: whoever is in it by then is taken out again. day: only that */
export async function markFiles(db: Db, entry: ArchivedOf, day: string | null = null): Promise<number> {
  const { siteId, visitors, events } = entry;
  await db.query(
    'delete from restored_events where site_id = $1 and (visitor_id = any ($2::uuid[]) or event_id = any ($3::uuid[]))',
    [siteId, visitors, events.map(([id]) => id)],
  );
  const { rows } = await db.query<{ files: number }>(
    `with marked as (
       insert into archive_erasures (site_id, day, taken_visitor, becomes)
       select $1, a.day, v.id, v.becomes
       from json_to_recordset($2) as v (id uuid, becomes uuid, mark text)
       join archives a on a.site_id = $1 and position(decode(v.mark, 'hex') in a.visitors) > 0 and ($4::date is null or a.day = $4)
       returning day
     ), formed as (
       -- as the form was sent, and as its event says it happened
       insert into archive_erasures (site_id, day, taken_event, becomes)
       select $1, a.day, f.id, gen_random_uuid()
       from json_to_recordset($3) as f (id uuid, day date)
       join archives a on a.site_id = $1 and a.day between f.day - 1 and f.day + 1 and ($4::date is null or a.day = $4)
       returning day
     )
     select count(distinct day)::int as files from (select day from marked union all select day from formed) days`,
    [
      siteId,
      JSON.stringify(visitors.map((id) => ({ id, becomes: randomUUID(), mark: markOf(id).toString('hex') }))),
      JSON.stringify(events.map(([id, on]) => ({ id, day: on }))),
      day,
    ],
  );
  return rows[0]!.files;
}

export const markAgain = (pool: Pool, entry: ArchivedOf): Promise<number> =>
  inSites(pool, entry.siteId, (db) => markFiles(db, entry));

/** Days of which files hold rows of these browsers: for who asks what is held about them. */
export async function archivedDaysOf(
  db: Db,
  siteId: string,
  visitorIds: readonly string[],
): Promise<string[]> {
  if (visitorIds.length === 0) return [];
  const { rows } = await db.query<{ day: string }>(
    `select a.day::text as day from archives a where a.site_id = $1
       and exists (select from unnest($2::text[]) as m (mark) where position(decode(m.mark, 'hex') in a.visitors) > 0) order by a.day`,
    [siteId, visitorIds.map((id) => markOf(id).toString('hex'))],
  );
  return rows.map(({ day }) => day);
}
