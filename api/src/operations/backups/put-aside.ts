// Databases that stand beside the live one: the copy of an upgrade, the one a restore replaced, the one an undo refused.
// Each is known by the name its maker was told. None is found by looking like one, and none goes but by its name.
import type pg from 'pg';
import { diskUse } from '../health/disk.ts';
import { stampedAt, stampOf } from './manifest.ts';
import { BackupError, connect, databaseName, databaseUrl, quoted } from './tools.ts';

type Kind =
  /** What was live before: renamed by a restore, copied by an upgrade. */
  | 'before'
  /** What was live until an undo put another in its place. */
  | 'refused'
  /** Being restored; one that is there while nothing restores was left by a restore that was killed. */
  | 'restore';

const NAMES = /^marketing_(before|refused|restore)_(\d{8}t\d{6}z)$/;
const HALF_RESTORED = /^marketing_restore_[0-9a-z]+$/;

export const nameFor = (kind: Kind, at: Date): string => `marketing_${kind}_${stampOf(at).toLowerCase()}`;

export interface PutAside {
  name: string;
  /** null: a database that this role may not look into */
  bytes: number | null;
  at: string;
}

/** Every database that was put aside, oldest first; the app's role may ask too. */
export async function putAside(client: Pick<pg.ClientBase, 'query'>): Promise<PutAside[]> {
  const { rows } = await client.query<{ name: string; bytes: string | null }>(
    `select datname as name, case when has_database_privilege(datname, 'connect') then pg_database_size(datname)::text end as bytes
       from pg_database where datname ~ $1`,
    [NAMES.source],
  );
  return rows
    .map(({ name, bytes }) => ({
      name,
      bytes: bytes === null ? null : Number(bytes),
      at: stampedAt(NAMES.exec(name)![2]!.toUpperCase()).toISOString(),
    }))
    .sort((a, b) => a.at.localeCompare(b.at));
}

/** throws  no_backup, naming those there are, when there is none of exactly this name */
async function find(server: pg.ClientBase, name: string): Promise<void> {
  const there = await putAside(server);
  if (there.some((each) => each.name === name)) return;
  const names = there.map((each) => each.name).join(', ');
  throw new BackupError(
    'no_backup',
    `There is no database put aside as "${name}", so nothing was done; ${names ? `there is: ${names}` : 'there is none at all'}.`,
  );
}

/** Ends what is connected and changes the two names in one transaction: at every moment there is exactly one live database. */
export async function change(
  server: pg.ClientBase,
  { live, aside, next }: { live: string; aside: string; next: string },
): Promise<void> {
  await server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = any ($1) and pid <> pg_backend_pid()`,
    [[live, next]],
  );
  await server.query('begin');
  try {
    await server.query(`alter database ${quoted(live)} rename to ${quoted(aside)}`);
    await server.query(`alter database ${quoted(next)} rename to ${quoted(live)}`);
    await server.query('commit');
  } catch (error) {
    await server.query('rollback').catch(() => {});
    throw error;
  }
}

async function onServer<T>(ownerUrl: string, work: (server: pg.Client) => Promise<T>): Promise<T> {
  const server = await connect(databaseUrl(ownerUrl, 'postgres'));
  try {
    return await work(server);
  } finally {
    await server.end().catch(() => {});
  }
}

/**
 * Puts exactly the named database back in the place of the live one. Nothing is dropped: whether the one put back serves
 * shows later.
 * returns  the name under which the one that was live until now is kept; dropPutAside drops it
 * throws   no_backup, when there is none of that name
 */
export function undoRestore(
  { ownerUrl, now = () => new Date() }: { ownerUrl: string; now?: () => Date },
  name: string,
): Promise<string> {
  return onServer(ownerUrl, async (server) => {
    await find(server, name);
    const refused = nameFor('refused', now());
    await change(server, { live: databaseName(ownerUrl), aside: refused, next: name });
    return refused;
  });
}

/**
 * Drops exactly the named one, for good: once the live database has proven itself.
 * throws  no_backup, when there is none of that name
 */
export function dropPutAside({ ownerUrl }: { ownerUrl: string }, name: string): Promise<void> {
  return onServer(ownerUrl, async (server) => {
    await find(server, name);
    await server.query(`drop database ${quoted(name)} with (force)`);
  });
}

export const listPutAside = ({ ownerUrl }: { ownerUrl: string }): Promise<PutAside[]> =>
  onServer(ownerUrl, putAside);

/** What a restore that was killed left of its own; it was never live. */
export async function dropHalfRestored(server: pg.ClientBase): Promise<void> {
  const { rows } = await server.query<{ datname: string }>('select datname from pg_database');
  for (const { datname } of rows)
    if (HALF_RESTORED.test(datname)) await server.query(`drop database ${quoted(datname)} with (force)`);
}

/**
 * Keeps a copy of the database beside it: the way back of an upgrade. A file copy, so it costs a read and a write of the
 * data and nothing in the log. Nobody may be connected meanwhile.
 * returns  its name, which undoRestore and dropPutAside take
 * throws   disk_short, when two of them do not fit; what is left of earlier ones is named, and stays
 */
export function takeSnapshot({ ownerUrl, folder }: { ownerUrl: string; folder: string }): Promise<string> {
  const live = databaseName(ownerUrl);
  return onServer(ownerUrl, async (server) => {
    await enoughDisk(server, live, folder);
    const name = nameFor('before', new Date());
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
      [live],
    );
    await server.query(`create database ${quoted(name)} template ${quoted(live)} strategy file_copy`);
    return name;
  });
}

async function enoughDisk(server: pg.ClientBase, live: string, folder: string): Promise<void> {
  const { rows } = await server.query<{ bytes: string }>('select pg_database_size($1)::text as bytes', [
    live,
  ]);
  const disk = await diskUse(folder);
  const needed = Number(rows[0]!.bytes) * 1.1;
  if (!disk || disk.freeBytes >= needed) return;
  const left = (await putAside(server)).map(
    ({ name, bytes }) => `${name} (${Math.round((bytes ?? 0) / 1e6)} MB)`,
  );
  throw new BackupError(
    'disk_short',
    `A copy of the database needs ${Math.ceil(needed / 1e6)} MB, and only ${Math.floor(disk.freeBytes / 1e6)} MB are free.` +
      (left.length > 0
        ? ` Left from before: ${left.join(', ')}; what nobody needs any more goes by "marketing restore-finish NAME".`
        : ''),
  );
}
