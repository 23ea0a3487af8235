// The paper that travels with a backup: what the file must be, to the byte, and what it must restore to.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { digestFile } from '../../ground/lib/digest.ts';
import { replaceDurably } from '../../ground/lib/durable.ts';
import { signatureOf } from './signature.ts';
import { BackupError } from './tools.ts';

const PRODUCT = 'marketing-api backup';
const FORMAT = 2;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ name: z.string().regex(/^[\w.-]+$/), bytes: z.number().int().nonnegative(), sha256 });

const Manifest = z.strictObject({
  product: z.literal(PRODUCT),
  format: z.number().int(),
  createdAt: z.iso.datetime(),
  version: z.string(),
  server: z.string(),
  /** Whose it is; since format 2. */
  installation: z.object({ id: z.uuid(), pepper: z.string().regex(/^[0-9a-f]{32}$/) }).optional(),
  /** The file beside this manifest: the dump itself, or the dump encrypted. */
  file,
  /** The dump in the clear; the same as file when nothing is encrypted. */
  dump: z.object({ bytes: z.number().int().nonnegative(), sha256 }),
  encryption: z.enum(['none', 'age']),
  content: z.object({
    tables: z.record(z.string(), z.object({ rows: z.string(), checksum: z.string() })),
    objects: z.record(z.string(), z.number()),
    migrations: z.array(z.string()).min(1),
  }),
  /** Root of all chains of consent records, as the nightly check found it last; absent: not checked yet. */
  consentRoot: z
    .object({ root: sha256, at: z.iso.datetime(), records: z.number().int().nonnegative() })
    .optional(),
  /** Of everything above, so that a flipped bit in here is seen too. */
  seal: sha256,
  /** Of the seal, by whoever knows the secrets (signature.ts); absent: from before backups were signed. */
  signature: sha256.optional(),
});
export type Manifest = z.infer<typeof Manifest>;

const sealOf = (unsealed: Omit<Manifest, 'seal' | 'signature'>): string =>
  createHash('sha256').update(JSON.stringify(unsealed)).digest('hex');

/** pepper  with which it is signed; null: not at all */
export function makeManifest(
  facts: Omit<Manifest, 'product' | 'format' | 'seal' | 'signature'>,
  pepper: string | null = null,
): Manifest {
  // through the schema, so that the keys stand in its order, as they will when it is read
  const unsealed = Manifest.omit({ seal: true, signature: true }).parse({
    product: PRODUCT,
    format: FORMAT,
    ...facts,
  });
  const seal = sealOf(unsealed);
  return { ...unsealed, seal, ...(pepper === null ? {} : { signature: signatureOf(seal, pepper) }) };
}

export const manifestOf = (path: string): string => `${path}.json`;

/**
 * Reads the manifest beside a backup.
 * throws  foreign (not a backup of this product), newer_schema (format of a later release), corrupt (anything else)
 */
export async function readManifest(path: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(manifestOf(path), 'utf8');
  } catch {
    throw new BackupError(
      'foreign',
      `There is no ${basename(manifestOf(path))} beside the backup; without it nothing can be checked.`,
    );
  }
  return parseManifest(text, basename(path));
}

/** As readManifest, of a text. name: of the file that it must belong to */
export function parseManifest(text: string, name: string): Manifest {
  const own = manifestOf(name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BackupError('corrupt', `${own} is damaged: it is not JSON.`);
  }
  const head = z.object({ product: z.string(), format: z.int().min(1) }).safeParse(value);
  if (!head.success) throw new BackupError('corrupt', `${own} is damaged or is no manifest of ours.`);
  if (head.data.product !== PRODUCT)
    throw new BackupError('foreign', 'This is not a backup of this product.');
  if (head.data.format > FORMAT)
    throw new BackupError(
      'newer_schema',
      'This backup has a newer format; restore it with the release that made it, or a later one.',
    );
  const parsed = Manifest.safeParse(value);
  if (!parsed.success)
    throw new BackupError('corrupt', `${own} is damaged: ${parsed.error.issues[0]?.path.join('.')}.`);
  const { seal, signature: _, ...unsealed } = parsed.data;
  // the text must be exactly what we wrote: key order and spacing included, nothing may be added unseen
  if (sealOf(unsealed) !== seal || text !== textOf(parsed.data))
    throw new BackupError('corrupt', `${own} is damaged: its seal does not fit.`);
  if (unsealed.file.name !== name)
    throw new BackupError('foreign', `The manifest belongs to ${unsealed.file.name}, not to ${name}.`);
  const { file, dump, encryption, format, installation } = unsealed;
  if (encryption === 'none' && (file.sha256 !== dump.sha256 || file.bytes !== dump.bytes))
    throw new BackupError(
      'corrupt',
      `${own} contradicts itself: the file and the dump are one, and it names two.`,
    );
  if (format > 1 && !installation)
    throw new BackupError('corrupt', `${own} is damaged: it does not say which installation it is of.`);
  return parsed.data;
}

const textOf = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 1)}\n`;

/** Writes it beside the backup; whole or not at all, and on the disk when this returns. */
export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await replaceDurably(manifestOf(path), textOf(manifest));
}

/** throws corrupt, when the file is not, to the byte, what the manifest says */
export async function checkFile(
  path: string,
  expected: { bytes: number; sha256: string },
  what = 'The backup',
): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => -1,
  );
  if (size === -1) throw new BackupError('no_backup', `${basename(path)} is not there.`);
  if (size !== expected.bytes)
    throw new BackupError(
      'corrupt',
      `${what} is damaged: ${basename(path)} has ${size} bytes instead of ${expected.bytes}.`,
    );
  if ((await digestFile(path)).sha256 !== expected.sha256)
    throw new BackupError('corrupt', `${what} is damaged: the checksum of ${basename(path)} does not fit.`);
}

/** Paths of one backup set, which share a stamp: `marketing-20261121T031500Z`. */
export const setPaths = (folder: string, stamp: string) => ({
  dump: join(folder, `marketing-${stamp}.dump`),
  encrypted: join(folder, `marketing-${stamp}.dump.age`),
  check: join(folder, `marketing-${stamp}.check.json`),
});

export const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, '');
export const stampedAt = (stamp: string): Date =>
  new Date(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
