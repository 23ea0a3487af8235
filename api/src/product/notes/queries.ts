// The SQL door of notes. Inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Note, NotePatch, WRITTEN_KINDS } from './schema.ts';

/** As it stands, before it is asked who looks. */
export type NoteRow = Omit<Note, 'mayChange'> & { userId: string | null };

const AS_NOTE = `note_id as "noteId", instant_text(at) as at, site_day($1, at)::text as day, kind, text,
  case when user_id is null then 'site' else 'mine' end as scope, made_by as "madeBy", version, user_id as "userId"`;

export interface Which {
  siteId: string;
  /** Days of the site's zone, both included; null: without a bound. */
  from: string | null;
  to: string | null;
  /** Whose own are among them; null: nobody's. */
  userId: string | null;
}

/** The site's, the machine's, and one person's own; the newest first. after  of the last one that was seen: its moment and id */
export async function listNotes(
  db: Db,
  { siteId, from, to, userId }: Which,
  limit: number,
  after: readonly [string, string] | null = null,
): Promise<NoteRow[]> {
  const { rows } = await db.query<NoteRow>({
    name: 'list_notes',
    text: `with bounds as materialized (
       select coalesce(site_day_starts($1, $2::date), '-infinity') as starts, coalesce(site_day_starts($1, $3::date + 1), 'infinity') as ends
     ), found as (
       select note_id, at, kind, text, user_id, made_by, version from notes, bounds
       where site_id = $1 and at >= starts and at < ends and (user_id is null or user_id = $4)
       union all
       select note_id, at, kind, text, null, 'machine', 1 from machine_notes, bounds
       where kind <> 'installed' and at >= starts and at < ends
     )
     select ${AS_NOTE} from found
     where $5::timestamptz is null or (at, note_id) < ($5, $6::uuid) order by at desc, note_id desc limit $7`,
    values: [siteId, from, to, userId, after?.[0] ?? null, after?.[1] ?? null, limit],
  });
  return rows;
}

/** A day (YYYY-MM-DD) is its beginning where the site is; of nothing, now. Two parameters of a statement. */
const momentOf = (at: string | undefined): [string | null, string | null] =>
  at === undefined ? [null, null] : at.length === 10 ? [at, null] : [null, at];

export interface NewRow {
  siteId: string;
  at: string | undefined;
  kind: (typeof WRITTEN_KINDS)[number];
  text: string;
  userId: string | null;
  madeBy: string;
}

/** most  of the site's, or of this person's own. returns  null when there are as many */
export async function insertNote(
  db: Db,
  { siteId, at, kind, text, userId, madeBy }: NewRow,
  most: number,
): Promise<NoteRow | null> {
  // one after the other, or two at once would both be the last
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' notes', 8))", [siteId]);
  const { rows } = await db.query<NoteRow>(
    `insert into notes (site_id, at, kind, text, user_id, made_by)
     select $1, coalesce(site_day_starts($1, $2::date), $3::timestamptz, now()), $4, $5, $6, $7
     where (select count(*) from notes where site_id = $1 and user_id is not distinct from $6 and made_by <> 'machine') < $8
     returning ${AS_NOTE}`,
    [siteId, ...momentOf(at), kind, text, userId, madeBy, most],
  );
  return rows[0] ?? null;
}

/** Locked until the transaction ends. userId  whose own is among them. returns  null when there is none for them */
export async function lockNote(
  db: Db,
  siteId: string,
  noteId: string,
  userId: string | null,
): Promise<NoteRow | null> {
  const { rows } = await db.query<NoteRow>(
    `select ${AS_NOTE} from notes where site_id = $1 and note_id = $2 and (user_id is null or user_id = $3) for update`,
    [siteId, noteId, userId],
  );
  return rows[0] ?? null;
}

export async function updateNote(
  db: Db,
  siteId: string,
  noteId: string,
  { at, kind, text }: NotePatch,
): Promise<NoteRow> {
  const { rows } = await db.query<NoteRow>(
    `update notes set at = coalesce(site_day_starts($1, $3::date), $4::timestamptz, at), kind = coalesce($5, kind), text = coalesce($6, text),
       version = version + 1, updated_at = now()
     where site_id = $1 and note_id = $2 returning ${AS_NOTE}`,
    [siteId, noteId, ...momentOf(at), kind ?? null, text ?? null],
  );
  return rows[0]!;
}

export async function deleteNote(db: Db, siteId: string, noteId: string): Promise<void> {
  await db.query('delete from notes where site_id = $1 and note_id = $2', [siteId, noteId]);
}

/** At the beginning of its first day; the same days again are the same note. */
export async function insertRecount(db: Db, siteId: string, from: string, to: string): Promise<void> {
  await db.query(
    `insert into notes (site_id, at, kind, text, made_by) values ($1, site_day_starts($1, $2::date), 'recount', $3, 'machine')
     on conflict (site_id, at, text) where kind = 'recount' do nothing`,
    [siteId, from, daysText(from, to)],
  );
}

/** At the beginning of its last day, behind which the site counts itself. */
export async function insertImported(
  db: Db,
  siteId: string,
  one: { importId: string; source: string; from: string; to: string },
): Promise<void> {
  await db.query(
    `insert into notes (site_id, at, kind, text, import_id, made_by) values ($1, site_day_starts($1, $2::date), 'import', $3, $4, 'machine')
     on conflict (site_id, import_id) where import_id is not null do nothing`,
    [siteId, one.to, `${one.source}, ${daysText(one.from, one.to)}`, one.importId],
  );
}

const daysText = (from: string, to: string): string => (from === to ? from : `${from} – ${to}`);
