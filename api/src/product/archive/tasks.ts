// What a child process does of the archive's work: rows and files that are larger than a server's memory has room for.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { digestFile } from '../../ground/lib/digest.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { OffsiteFault, type S3Target, type Shelf } from '../../ground/shelf/target.ts';
import type { Field } from '../custom-fields/values.ts';
import { KNOWN_TYPES } from '../events/tables.ts';
import { type ArchiveRow, afterErasure, archived, markOf, type Taken } from './columns.ts';
import { fillRestored } from './fill-restored.ts';
import { countRows, GROUP_ROWS, readParquet, writeParquet } from './parquet.ts';
import { type Listed, SELECT_MARKS, SELECT_RAW } from './queries.ts';

export type Task =
  /** Raw rows of a day into a file of that name, and it into the bucket. */
  | { do: 'write'; siteId: string; day: string; file: string; fields: readonly Field[] }
  /** A file anew, under that name, without who was erased. */
  | { do: 'rewrite'; listed: Listed; file: string; taken: Taken }
  /** A file's rows into restored_events. */
  | { do: 'restore'; listed: Listed }
  /** What a file of ours is that is not listed. */
  | { do: 'look'; file: string };

export interface Written {
  rows: number;
  bytes: number;
  sha256: string;
}
export interface Done {
  write: (Written & { visitors: Buffer; raw: { rows: number; sum: string } }) | null;
  rewrite: Written | null;
  restore: { rows: number };
  look: Written & { visitors: Buffer };
}

export interface Room {
  db: Pool;
  target: S3Target;
  /** Of this machine, and of this task alone. */
  folder: string;
}

/** throws  OffsiteFault when the bucket is not as it should be */
export async function perform<T extends Task>(room: Room, task: T): Promise<Done[T['do']]> {
  await mkdir(room.folder, { recursive: true, mode: 0o700 });
  const shelf = patientShelf(room.target);
  try {
    return (await toDo(room, shelf, task)) as Done[T['do']];
  } finally {
    shelf.close();
    await rm(room.folder, { recursive: true, force: true });
  }
}

function toDo(room: Room, shelf: Shelf, task: Task): Promise<Done[Task['do']]> {
  switch (task.do) {
    case 'write':
      return write(room, shelf, task);
    case 'rewrite':
      return rewrite(room, shelf, task);
    case 'restore':
      return restore(room, shelf, task.listed);
    case 'look':
      return look(room, shelf, task.file);
  }
}

type TaskOf<Name extends Task['do']> = Extract<Task, { do: Name }>;

async function write(
  { db, folder }: Room,
  shelf: Shelf,
  { siteId, day, file, fields }: TaskOf<'write'>,
): Promise<Done['write']> {
  const path = join(folder, file);
  // one look at all of it: the sum is of the very rows that were written
  const seen = await inSites(db, siteId, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    await tx.query({ text: `declare raw no scroll cursor for ${SELECT_RAW}`, values: [siteId, day] });
    const rows = await writeParquet(path, rawGroups());
    const { rows: sums } = await tx.query<{ rows: number; sum: string }>(
      'select raw_rows as rows, raw_sum::text as sum from archive_sums($1) where site_id = $2',
      [day, siteId],
    );
    const { rows: marks } = await tx.query<{ marks: Buffer }>(SELECT_MARKS, [siteId, day]);
    return { rows, raw: sums[0] ?? { rows: 0, sum: '0' }, visitors: marks[0]!.marks };

    async function* rawGroups(): AsyncGenerator<ArchiveRow[]> {
      for (;;) {
        const { rows: group } = await tx.query<ArchiveRow>(`fetch ${GROUP_ROWS} from raw`);
        if (group.length === 0) return;
        yield group.map((row) => archived(row, fields));
      }
    }
  });
  if (seen.rows === 0) return null;
  if (seen.rows !== seen.raw.rows) throw new Error('the file has not as many rows as the day');
  return { ...(await bring(shelf, folder, file, seen.rows)), visitors: seen.visitors, raw: seen.raw };
}

/** Into the bucket and back from there: what lies there now is what was written, and can be read to its last value. */
async function bring(shelf: Shelf, folder: string, file: string, rows: number): Promise<Written> {
  const path = join(folder, file);
  const { bytes, sha256 } = await digestFile(path);
  await shelf.put(path);
  await rm(path);
  await fetched(shelf, folder, { file, rows, bytes, sha256 });
  return { rows, bytes, sha256 };
}

/** returns  where it lies on this machine */
async function fetched(
  shelf: Shelf,
  folder: string,
  { file, rows, bytes, sha256 }: Written & { file: string },
): Promise<string> {
  const path = join(folder, `${file}.back`);
  await rm(path, { force: true });
  await shelf.get(file, path);
  const back = await digestFile(path);
  if (back.bytes !== bytes || back.sha256 !== sha256)
    throw new OffsiteFault(`what the bucket gives back as ${file} is not what was written`);
  const found = await countRows(path).catch((error: Error) => {
    throw new OffsiteFault(`${file} cannot be read: ${error.message}`);
  });
  if (found !== rows) throw new OffsiteFault(`${file} holds ${found} rows instead of ${rows}`);
  return path;
}

async function rewrite(
  { folder }: Room,
  shelf: Shelf,
  { listed, file, taken }: TaskOf<'rewrite'>,
): Promise<Done['rewrite']> {
  const before = await fetched(shelf, folder, listed);
  const known = new Set(KNOWN_TYPES);
  let changed = 0;
  async function* groups(): AsyncGenerator<ArchiveRow[]> {
    for await (const group of readParquet(before))
      yield group.map((row) => {
        const left = afterErasure(row, taken, known);
        if (left !== row) changed += 1;
        return left;
      });
  }
  const rows = await writeParquet(join(folder, file), groups());
  if (rows !== listed.rows) throw new Error('the new file has not as many rows as the one before');
  return changed === 0 ? null : await bring(shelf, folder, file, rows);
}

async function restore({ db, folder }: Room, shelf: Shelf, listed: Listed): Promise<Done['restore']> {
  const path = await fetched(shelf, folder, listed);
  return { rows: await fillRestored(db, listed, readParquet(path)) };
}

async function look({ folder }: Room, shelf: Shelf, file: string): Promise<Done['look']> {
  const path = join(folder, `${file}.back`);
  await shelf.get(file, path);
  const marks = new Set<string>();
  let rows = 0;
  for await (const group of readParquet(path)) {
    rows += group.length;
    for (const { visitor_id } of group) marks.add(markOf(String(visitor_id)).toString('hex'));
  }
  return { rows, ...(await digestFile(path)), visitors: Buffer.from([...marks].sort().join(''), 'hex') };
}
