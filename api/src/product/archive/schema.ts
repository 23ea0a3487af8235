// What is shown of the archive, and what may be asked back from it.
import { z } from 'zod';
import { nextCursor, paging, utc } from '../../ground/http/fields.ts';

/** So many days are brought back at once. */
export const RESTORE_DAYS_MAX = 31;

const utcDay = z.iso.date('a real day such as 2026-02-28').describe('a UTC day, YYYY-MM-DD');
const count = z.int().min(0);

export const archiveShape = z
  .object({
    day: utcDay,
    file: z.string().describe('its name in the bucket, in the folder of ARCHIVE_S3_URL'),
    rows: count,
    bytes: count,
    sha256: z.string().describe('of the file, hexadecimal'),
    schemaVersion: z.int(),
    archivedAt: utc,
    rewrittenAt: utc.nullable().describe('when an erasure was last taken out of it'),
    erasuresWaiting: count.describe('ids of erased people that are yet to be taken out; by the next night'),
  })
  .meta({ id: 'Archive' });
export type Archive = z.output<typeof archiveShape>;

export const archivePage = z.object({ archives: z.array(archiveShape), nextCursor });
export const archiveQuery = z.object(paging(100, 100));

export const restoreInput = z
  .object({ from: utcDay, to: utcDay.describe('the last day, at most 31 in all') })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not lie before from' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < RESTORE_DAYS_MAX * 86_400_000, {
    path: ['to'],
    message: `at most ${RESTORE_DAYS_MAX} days at once`,
  })
  .meta({ id: 'ArchiveRestoreRequest' });

export const restoreShape = z
  .object({
    restoreId: z.uuid(),
    siteId: z.uuid(),
    from: utcDay,
    to: utcDay,
    state: z.enum(['waiting', 'done', 'failed']).describe('waiting: within a minute or two it is at work'),
    days: count.describe('of those that were asked for, how many are there'),
    rows: count.describe('in restored_events when it was done; erasures may have taken some since'),
    why: z.string().nullable().describe('what went wrong; null: nothing did'),
    requestedAt: utc,
    finishedAt: utc.nullable(),
    endsAt: utc.nullable().describe('its rows go with the first purge after that'),
  })
  .meta({ id: 'ArchiveRestore' });
export type Restore = z.output<typeof restoreShape>;

export const restorePage = z.object({ restores: z.array(restoreShape), nextCursor });
