// Shapes of imports at the door.
import { z } from 'zod';
import { day, utc } from '../../ground/http/fields.ts';
import { BATCH_ROWS_MAX, KINDS, NAME_LENGTH_MAX, SOURCES } from './kinds.ts';

const count = z.int().min(0).max(1_000_000_000_000);
const counts = {
  visitors: count.default(0).describe('of this day; never added up into unique visitors'),
  visits: count.default(0),
  pageviews: count.default(0),
  bounces: count.default(0),
  seconds: count.default(0).describe('all of the visits’ time'),
  events: count.default(0),
};
const sums = z.object({
  visitors: count,
  visits: count,
  pageviews: count,
  bounces: count,
  seconds: count,
  events: count,
});

export const importedRow = z
  .object({
    day,
    name: z.string().max(NAME_LENGTH_MAX).describe('of a source, page, …; empty for total'),
    detail: z.string().max(NAME_LENGTH_MAX).default(''),
    ...counts,
  })
  .meta({ id: 'ImportedRow' });
export type ImportedRow = z.output<typeof importedRow>;

export const importShape = z
  .object({
    importId: z.uuid(),
    siteId: z.uuid(),
    source: z.enum(SOURCES),
    files: z.array(z.object({ name: z.string(), sha256: z.string() })),
    timezone: z.string(),
    madeBy: z.string(),
    createdAt: utc,
    finishedAt: utc.nullable().describe('null: not all of it has come; shown in no answer yet'),
    rows: count,
    batches: count.describe('so many have come: the next seq, where they are sent in order'),
    firstDay: z.iso.date().nullable(),
    lastDay: z.iso.date().nullable(),
    days: count,
    sums: sums.describe('of kind total; visitors are visitor-days'),
  })
  .meta({ id: 'Import' });
export type Import = z.output<typeof importShape>;

export const newImport = z
  .object({
    source: z.enum(SOURCES),
    files: z
      .array(
        z.object({
          name: z.string().min(1).max(255),
          sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hexadecimal digits'),
        }),
      )
      .min(1)
      .max(100),
    timezone: z.string().min(1).max(64).describe('whose days these are in the other tool'),
  })
  .meta({ id: 'NewImport' });

export const newRows = z
  .object({
    seq: z.int().min(0).max(100_000).describe('0, 1, 2 …; sent twice with the same rows it counts once'),
    kind: z.enum(KINDS),
    rows: z.array(importedRow).min(1).max(BATCH_ROWS_MAX),
  })
  .meta({ id: 'NewImportRows' });

export const finishImport = z
  .object({
    rows: count.describe('of all batches'),
    sums: sums.describe('of kind total, as they were read from the files'),
  })
  .meta({ id: 'FinishImport' });
