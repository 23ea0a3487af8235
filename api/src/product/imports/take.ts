// What an import may hold: days before the first own event, each batch once, and at the end what was said to be in it.
import { createHash } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { noteImport } from '../notes/machine.ts';
import { COUNTS, type Counts, IMPORTS_MAX, type Kind, ROWS_MAX, type Source } from './kinds.ts';
import {
  deleteImport,
  findBatch,
  findFirstOwnDay,
  findImports,
  findOverlap,
  finish,
  insertImport,
  insertRows,
  lockImport,
} from './queries.ts';
import type { Import, ImportedRow } from './schema.ts';

const unknown = () => new AppError('not_found', 'There is no import with this id.');

export async function begin(
  db: Db,
  siteId: string,
  wanted: { source: Source; files: { name: string; sha256: string }[]; timezone: string; madeBy: string },
): Promise<Import> {
  // one who begins at a time, so that the bound holds
  await db.query('select pg_advisory_xact_lock(7301015, hashtext($1))', [siteId]);
  const known = await findImports(db, siteId, null);
  if (known.length >= IMPORTS_MAX)
    throw new AppError('conflict', `A site has at most ${IMPORTS_MAX} imports. Undo one first.`);
  const sha256s = wanted.files.map(({ sha256 }) => sha256);
  const twice = known.find(
    ({ finishedAt, files }) => finishedAt && files.some(({ sha256 }) => sha256s.includes(sha256)),
  );
  if (twice)
    throw new AppError('conflict', 'One of these files is in another import already. Undo that one first.');
  return (await findImports(db, siteId, await insertImport(db, siteId, wanted)))[0]!;
}

/** returns  false when the batch had come before, with the same rows */
export async function takeRows(
  db: Db,
  siteId: string,
  importId: string,
  { seq, kind, rows }: { seq: number; kind: Kind; rows: ImportedRow[] },
): Promise<boolean> {
  const locked = await lockImport(db, siteId, importId);
  if (!locked) throw unknown();
  const digest = createHash('sha256')
    .update(JSON.stringify([kind, rows]))
    .digest();
  const before = await findBatch(db, siteId, importId, seq);
  if (before.digest) {
    if (before.digest.equals(digest)) return false;
    throw new AppError(
      'conflict',
      `Batch ${seq} has come before with other rows. Undo the import and begin again.`,
    );
  }
  if (locked.isFinished)
    throw new AppError('conflict', 'This import is finished. Undo it, or begin another.');
  if (before.rows + rows.length > ROWS_MAX)
    throw new AppError(
      'conflict',
      `An import has at most ${ROWS_MAX} rows. Bring in fewer days or kinds at once.`,
    );
  const firstOwn = await findFirstOwnDay(db, siteId);
  const late = rows.findIndex(({ day }) => day >= firstOwn);
  if (late >= 0)
    throw new AppError(
      'invalid_request',
      `From ${firstOwn} on this site counts itself; leave those days out.`,
      {
        issues: [{ path: `rows.${late}.day`, message: `before ${firstOwn}` }],
      },
    );
  await insertRows(db, siteId, importId, { seq, kind, rows, digest });
  return true;
}

/** Asked again of a finished one it answers the same. */
export async function finishImport(
  db: Db,
  siteId: string,
  importId: string,
  said: { rows: number; sums: Counts },
): Promise<Import> {
  if (!(await lockImport(db, siteId, importId))) throw unknown();
  const [come] = (await findImports(db, siteId, importId)) as [Import];
  const issues = [
    ...(come.rows === said.rows ? [] : [{ path: 'rows', message: `${come.rows} have come` }]),
    ...COUNTS.filter((name) => come.sums[name] !== said.sums[name]).map((name) => ({
      path: `sums.${name}`,
      message: `${come.sums[name]} have come`,
    })),
  ];
  if (issues.length > 0)
    throw new AppError('conflict', 'What has come is not what was read. Send what is missing, or undo it.', {
      issues,
    });
  const overlap = await findOverlap(db, siteId, importId);
  if (overlap)
    throw new AppError(
      'conflict',
      `Another import has ${overlap} too. Undo one of them, or leave these days out.`,
    );
  await finish(db, siteId, importId);
  await noteImport(db, siteId, come);
  return (await findImports(db, siteId, importId))[0]!;
}

export async function undo(db: Db, siteId: string, importId: string): Promise<void> {
  if (!(await deleteImport(db, siteId, importId))) throw unknown();
}
