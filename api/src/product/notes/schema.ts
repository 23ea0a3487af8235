// Shapes of notes at the door.
import { z } from 'zod';
import { day, instant, nextCursor, paging, utc } from '../../ground/http/fields.ts';

/** Of a site, all its people's and programs' together; and of one person at a site. */
export const NOTES_MAX = { site: 1000, mine: 200 } as const;
/** In one answer beside numbers. */
export const ANNOTATIONS_MAX = 200;

export const WRITTEN_KINDS = ['note', 'deploy', 'campaign', 'incident'] as const;
const KINDS = [...WRITTEN_KINDS, 'upgrade', 'outage', 'recount', 'import', 'restore'] as const;

const writtenKind = z.enum(WRITTEN_KINDS);
const kind = z
  .enum(KINDS)
  .describe('the last five are the machine’s own, whose text is facts alone: releases, minutes, days');
const scope = z.enum(['mine', 'site']).describe('mine: shown to who wrote it and to nobody else');
const text = z.string().trim().min(1).max(200);
const at = z
  .union([instant, day])
  .describe('a moment, or a day of the site’s zone, which means its beginning');

export const noteShape = z
  .object({
    noteId: z.uuid(),
    at: utc,
    day: z.iso.date().describe('of the site’s zone'),
    kind,
    text: z.string(),
    scope,
    madeBy: z.string(),
    mayChange: z.boolean().describe('whether this caller may change and delete it'),
    version: z.int().describe('for If-Match'),
  })
  .meta({ id: 'Note' });
export type Note = z.output<typeof noteShape>;

export const newNote = z
  .object({
    at: at
      .optional()
      .describe('a moment, or a day of the site’s zone, which means its beginning; default: now'),
    text,
    kind: writtenKind.default('note'),
    scope: scope.default('site'),
  })
  .meta({ id: 'NewNote' });

export const notePatch = z
  .object({ at: at.optional(), text: text.optional(), kind: writtenKind.optional() })
  .meta({ id: 'NotePatch' });
export type NotePatch = z.output<typeof notePatch>;

export const noteQuery = z
  .object({
    from: day.optional().describe('the first day, of the site’s zone'),
    to: day.optional().describe('the last day'),
    ...paging(100, 500),
  })
  .refine(({ from, to }) => !from || !to || from <= to, { path: ['to'], message: 'is before from' });

export const notePage = z.object({ notes: z.array(noteShape), nextCursor });
