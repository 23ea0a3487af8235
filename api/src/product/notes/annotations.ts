// The notes that stand beside numbers of some days, as one caller may see them.
import type { Db } from '../../ground/db/pool.ts';
import type { Caller } from '../../ground/http/caller.ts';
import { mayHandle } from './handle.ts';
import { listNotes, type NoteRow } from './queries.ts';
import { ANNOTATIONS_MAX, type Note } from './schema.ts';

export function asNote({ userId, ...note }: NoteRow, caller: Caller, siteId: string): Note {
  return { ...note, mayChange: mayHandle(caller, siteId, { kind: note.kind, userId }) };
}

/**
 * db       inside inSites of this site
 * window   days of the site's zone, both included
 * returns  in their order, at most ANNOTATIONS_MAX, of more the newest; none for who only has a link: what people write to
 *          each other is not for whoever they send numbers to
 */
export async function readAnnotations(
  db: Db,
  siteId: string,
  window: { from: string; to: string },
  caller: Caller,
): Promise<Note[]> {
  if (caller.share) return [];
  const which = { siteId, ...window, userId: caller.person?.userId ?? null };
  const rows = await listNotes(db, which, ANNOTATIONS_MAX);
  return rows.reverse().map((row) => asNote(row, caller, siteId));
}
