// Fields that many routes share, said once: how a site is named, days and instants, and the one dialect of paging.
import { z } from 'zod';
import { AppError } from '../lib/app-error.ts';

export const propertyId = z.string().trim().min(1).max(128);
/** Of a page, whose template may leave it empty: that is none. */
export const pageSite = z
  .preprocess((key) => key || undefined, propertyId.optional())
  .optional()
  .describe("without it the page's own site");
/** For callers with a key or a session. */
export const siteName = propertyId
  .optional()
  .describe("the site's key or id; without it the caller's first, mostly `default`");
export const anonId = z.string().trim().min(8).max(128);
// Outside of these PostgreSQL, JavaScript and our own steps to the day or window before disagree about what there is.
const inTime = (text: string) => text >= '1900' && text < '3000';
const OUT_OF_TIME = 'between the years 1900 and 2999';

export const day = z.iso
  .date('a real day such as 2026-02-28')
  .refine(inTime, OUT_OF_TIME)
  .describe('a day of the site’s zone, YYYY-MM-DD');
const YES = ['1', 'true', 'yes', 'on'];
/** Of a query: yes or no, however that is written. */
export const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum([...YES, '0', 'false', 'no', 'off']))
  .transform((word) => YES.includes(word));

/** In: any offset. */
export const instant = z.iso.datetime({ offset: true }).refine(inTime, OUT_OF_TIME);
/** Out: UTC with milliseconds. */
export const utc = z.iso.datetime();

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
/** As z.json(), by one name in the document. */
export const json: z.ZodType<Json> = z
  .lazy(() =>
    z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
  )
  .meta({ id: 'Json' });
/** What others fill as they like, and we give back as it is. */
export const openRecord = z.record(z.string(), json);

export interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** `limit` and `cursor` of a list's query; the answer's `nextCursor` is the next page's cursor, null on the last one. */
export const paging = (standard: number, max: number) => ({
  limit: z.coerce.number().int().min(1).max(max).default(standard),
  cursor: z.string().max(400).optional().describe('nextCursor of the page before'),
});
export const nextCursor = z.string().nullable().describe('null on the last page');

export const writeCursor = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/**
 * What writeCursor took, when every part fits its shape; null without a cursor.
 * throws  invalid_request with path cursor
 */
export function readCursor<Parts extends z.ZodTuple>(
  cursor: string | undefined,
  parts: Parts,
): z.output<Parts> | null {
  if (!cursor) return null;
  let read: unknown = null;
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    // said below
  }
  const parsed = parts.safeParse(read);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid_request', 'This cursor is not one of ours.', {
    issues: [{ path: 'cursor', message: 'take nextCursor of the page before' }],
  });
}

/** The page itself and where the next one begins; rows: one more than `limit` were asked for. */
export function pageOf<Row>(
  rows: Row[],
  limit: number,
  key: (last: Row) => readonly (string | number)[],
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  return { page, nextCursor: rows.length > limit ? writeCursor(key(page.at(-1)!)) : null };
}
