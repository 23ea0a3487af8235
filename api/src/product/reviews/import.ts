// Takes over reviews from elsewhere, with their source and date: a report for each row, and a dry run before.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import { publishWanted } from '../display/display.ts';
import { uuidv7 } from '../events/enrich.ts';
import { faultsOf, inBites, readFile } from '../leads/import-bites.ts';
import { importRow } from '../leads/import-one.ts';
import {
  DATE_FORMATS,
  type DateFormat,
  importedRow,
  instant,
  letters,
  optional,
} from '../leads/import-rows.ts';
import { reviewFields } from './schema.ts';
import { plainWords } from './submit.ts';

export const reviewImport = z
  .object({
    source: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .refine((name) => name.toLowerCase() !== 'form', 'form is what came by your own form')
      .describe('where they come from, such as google'),
    dryRun: z.boolean().default(false).describe('tells what would happen, and changes nothing'),
    dateFormat: z
      .enum(DATE_FORMATS)
      .optional()
      .describe('how days are written that are not ISO; a time after one is UTC'),
    csv: z
      .string()
      .min(1)
      .describe(
        'with a header (commas, semicolons or tabs): writtenAt, text and rating (1 to 5) or one of them, and any of id, email, name, product, language, url, incentive, relationship, permission (the words they agreed to), permissionAt, evidence',
      ),
  })
  .meta({ id: 'ReviewImport' });

const outcome = z.enum(['created', 'unchanged', 'refused']);
export const reviewImportReport = z
  .object({
    dryRun: z.boolean(),
    counts: z.record(outcome, z.int()),
    rows: z.array(
      z.object({
        row: z.int().describe('line of the file; the header is 1'),
        outcome,
        message: z.string().optional(),
      }),
    ),
    ignoredColumns: z.array(z.string()).describe('names in the header that we keep nothing of'),
  })
  .meta({ id: 'ReviewImportReport' });

type Done = { outcome: z.output<typeof outcome>; message?: string };

const COLUMNS =
  'id email name rating text product writtenAt language url incentive relationship permission permissionAt evidence'.split(
    ' ',
  );
const KNOWN = new Map<string, string>([
  ...COLUMNS.map((name) => [letters(name), name] as const),
  ['emailaddress', 'email'],
  ['review', 'text'],
  ['stars', 'rating'],
  ['date', 'writtenAt'],
]);
const columnOf = (header: string): string => KNOWN.get(letters(header)) ?? header.trim();

const { text, language, product, incentive, relationship } = reviewFields.shape;
const emptied = <Shape extends z.ZodType>(shape: Shape) => z.preprocess((cell) => cell || undefined, shape);

const rowShape = (format: DateFormat | undefined) =>
  z
    .object({
      id: optional(200),
      email: optional(320),
      name: optional(100),
      rating: z
        .string()
        .trim()
        .regex(/^([1-5])?(?:[.,]0)?(?:\s*\/\s*5)?$/, 'a whole number from 1 to 5')
        .transform((cell) => (cell ? Number(cell[0]) : undefined))
        .optional(),
      text: z.preprocess((cell) => (typeof cell === 'string' && plainWords(cell)) || undefined, text),
      language: emptied(language),
      product: emptied(product),
      incentive: emptied(incentive),
      relationship: emptied(relationship),
      writtenAt: instant(format, false),
      url: emptied(
        z
          .url({ protocol: /^https?$/ })
          .max(2048)
          .optional(),
      ),
      permission: optional(2000),
      permissionAt: instant(format, false),
      evidence: optional(2000),
    })
    .superRefine((row, context) => {
      const need = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (!row.writtenAt) need('writtenAt', 'is needed: when was it written?');
      if (row.text === undefined && row.rating === undefined) need('text', 'is needed, or a rating');
      if (!row.permission) return;
      if (!row.email) need('email', 'is needed with permission: whose it is, so that they can take it back');
      if (!row.permissionAt) need('permissionAt', 'is needed with permission');
      if (!row.evidence) need('evidence', 'is needed with permission: where is the proof?');
      if (row.text === undefined)
        need('text', 'is needed with permission: it is one for exactly these words');
    });
type Row = z.output<ReturnType<typeof rowShape>>;

/** throws  invalid_request when the file is no CSV or lacks its columns */
export async function importReviews(
  pool: Pool,
  siteId: string,
  input: z.output<typeof reviewImport>,
  hashAddress: (normalized: string) => string,
): Promise<z.output<typeof reviewImportReport>> {
  const { names, rows: records } = await readFile(
    input.csv,
    columnOf,
    (all) => all.includes('writtenAt') && (all.includes('text') || all.includes('rating')),
    'The file needs a header line with writtenAt and text or rating, and rows.',
  );
  const shape = rowShape(input.dateFormat);
  const rows = await inBites(pool, siteId, records, input.dryRun, async (db, { cells, line, fault }) => {
    const parsed = shape.safeParse(cells);
    const address = cells.email?.trim() ? readAddress(cells.email) : null;
    const done: Done = fault
      ? refused(fault)
      : !parsed.success
        ? refused(faultsOf(parsed.error))
        : cells.email?.trim() && !address
          ? refused('email: is not an address')
          : await takeRow(db, siteId, input.source, parsed.data, address, hashAddress);
    return { row: line, ...done };
  });
  const counts = { created: 0, unchanged: 0, refused: 0 };
  for (const { outcome: what } of rows) counts[what] += 1;
  return {
    dryRun: input.dryRun,
    counts,
    rows,
    ignoredColumns: names.filter((name) => name && !COLUMNS.includes(name)),
  };
}

async function takeRow(
  db: Db,
  siteId: string,
  source: string,
  row: Row,
  address: Address | null,
  hashAddress: (normalized: string) => string,
): Promise<Done> {
  const writtenAt = row.writtenAt!;
  let leadId: string | null = null;
  if (address) {
    const lead = importedRow(undefined).parse({
      email: address.email,
      capturedAt: writtenAt,
      formName: 'review',
    });
    const whose = { address, emailHash: hashAddress(address.normalized), attributes: null };
    const { because } = await importRow(db, siteId, lead, whose);
    if (because === 'corrected')
      return refused('this address was corrected to another one: put that one into the file, or none');
    if (because) return refused('this address was erased: what it wrote before does not come back');
    leadId = await leadOf(db, siteId, address.normalized);
  }
  const reviewId = uuidv7();
  const permission = row.permission
    ? publishWanted(
        { text: row.permission, name: row.name },
        { reviewId, words: row.text!, ...(row.evidence ? { evidence: row.evidence } : {}) },
        { basis: 'import', occurredAt: row.permissionAt! },
      )
    : null;
  const { rows } = await db.query<{ isNew: boolean }>('select record_review($1, $2, $3) as "isNew"', [
    siteId,
    leadId,
    JSON.stringify({
      review_id: reviewId,
      rating: row.rating,
      words: row.text,
      language: row.language,
      product: row.product,
      incentive: row.incentive,
      relationship: row.relationship,
      source,
      source_url: row.url,
      source_key: keyOf(row, address),
      written_at: writtenAt,
      permission,
    }),
  ]);
  if (!rows[0]!.isNew) return { outcome: 'unchanged' };
  if (leadId === null)
    return { outcome: 'created', message: 'counts; without an address nobody can allow it to be published' };
  return { outcome: 'created' };
}

async function leadOf(db: Db, siteId: string, normalized: string): Promise<string> {
  const { rows } = await db.query<{ lead_id: string }>(
    'select lead_id from leads where site_id = $1 and email_normalized = $2',
    [siteId, normalized],
  );
  return rows[0]!.lead_id;
}

/** By what the same row is known again. */
function keyOf(row: Row, address: Address | null): string {
  const facts = row.id ?? [address?.normalized ?? row.name, row.writtenAt, row.rating, row.text, row.product];
  return `\\x${createHash('sha256').update(JSON.stringify(facts)).digest('hex')}`;
}

const refused = (message: string): Done => ({ outcome: 'refused', message });
