// Notes on days of a site's numbers: written, listed, changed, deleted.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { pageOf, readCursor } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { asNote } from './annotations.ts';
import { mayHandle } from './handle.ts';
import { deleteNote, insertNote, listNotes, lockNote, type NoteRow, updateNote } from './queries.ts';
import { NOTES_MAX, type Note, newNote, notePage, notePatch, noteQuery, noteShape } from './schema.ts';

export interface NoteNeeds {
  db: Pool;
}

const AT = '/v1/sites/:siteId/notes';
const BODY_BYTES_MAX = 8 * 1024;
const common = { tag: 'notes', of: 'path' } as const;
const one = z.object({ note: noteShape });

const userOf = ({ caller }: Call): string | null => caller.person?.userId ?? null;

/** throws  forbidden, with what this caller may do instead */
function mustHandle({ caller, site: { siteId } }: Call, note: { kind: Note['kind']; userId: string | null }) {
  if (mayHandle(caller, siteId, note)) return;
  throw new AppError(
    'forbidden',
    caller.person
      ? 'The machine’s own notes stay as they are, and notes for everybody are those of who may tell the site something: owners, admins, analysts. Write one for yourself: {"scope": "mine"}.'
      : 'This key tells what was deployed, and nothing else: {"kind": "deploy"}. The machine’s own notes stay as they are.',
  );
}

export function noteRoutes({ db }: NoteNeeds): Route[] {
  /** Of the version that is named, under its lock. throws  not_found, forbidden, precondition_failed */
  async function change<T>(call: Call, work: (tx: Db, note: NoteRow) => Promise<T>): Promise<T> {
    const { siteId } = call.site;
    const noteId = call.params.noteId!;
    call.note({ target: noteId });
    return inSites(db, siteId, async (tx) => {
      const note = await lockNote(tx, siteId, noteId, userOf(call));
      if (!note) throw new AppError('not_found', 'There is no note with this id.');
      mustHandle(call, note);
      checkVersion(call, note.version);
      return work(tx, note);
    });
  }

  return [
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listNotes',
      says: 'Notes on days of the site’s numbers, one’s own and the machine’s among them, the newest first',
      who: 'numbers',
      shows: 'no people',
      takes: { as: 'query', shape: noteQuery },
      answers: { 200: notePage },
      async run({ from = null, to = null, limit, cursor }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, z.tuple([z.iso.datetime(), z.uuid()]));
        const which = { siteId, from, to, userId: userOf(call) };
        const rows = await inSites(db, siteId, (tx) => listNotes(tx, which, limit + 1, after));
        const { page, nextCursor } = pageOf(rows, limit, (last) => [last.at, last.noteId]);
        return { notes: page.map((row) => asNote(row, call.caller, siteId)), nextCursor };
      },
    }),
    route({
      ...common,
      at: `POST ${AT}`,
      id: 'createNote',
      says: 'Writes a note on a moment or day: for everybody who sees the numbers, or for oneself alone',
      who: 'notes',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newNote },
      answers: { 201: one },
      async run({ at, kind, text, scope }, call) {
        const { siteId } = call.site;
        const userId = scope === 'mine' ? userOf(call) : null;
        if (scope === 'mine' && userId === null)
          throw new AppError('invalid_request', 'Only who signed in has notes of their own.', {
            issues: [{ path: 'scope', message: 'of a program: site' }],
          });
        mustHandle(call, { kind, userId });
        const row = { siteId, at, kind, text, userId, madeBy: call.caller.actor };
        const note = await inSites(db, siteId, (tx) => insertNote(tx, row, NOTES_MAX[scope]));
        if (!note)
          throw new AppError(
            'conflict',
            scope === 'mine'
              ? `You have ${NOTES_MAX.mine} notes at this site, which is the most. Delete one first.`
              : `A site has ${NOTES_MAX.site} notes at most. Delete one first.`,
          );
        call.note({ target: note.noteId, details: { kind, scope } });
        return created({ note: asNote(note, call.caller, siteId) });
      },
    }),
    route({
      ...common,
      at: `PATCH ${AT}/:noteId`,
      id: 'updateNote',
      says: 'Changes what a note says, its kind or its moment; needs If-Match with its version. Whom it is for stays',
      who: 'notes',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: notePatch },
      answers: { 200: one },
      async run(patch, call) {
        const { siteId } = call.site;
        call.note({ details: { changed: Object.keys(patch) } });
        const note = await change(call, (tx, before) => {
          mustHandle(call, { kind: patch.kind ?? before.kind, userId: before.userId });
          return updateNote(tx, siteId, before.noteId, patch);
        });
        return { note: asNote(note, call.caller, siteId) };
      },
    }),
    route({
      ...common,
      at: `DELETE ${AT}/:noteId`,
      id: 'deleteNote',
      says: 'Deletes a note; needs If-Match with its version',
      who: 'notes',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        await change(call, (tx, { noteId }) => deleteNote(tx, call.site.siteId, noteId));
        return {};
      },
    }),
  ];
}
