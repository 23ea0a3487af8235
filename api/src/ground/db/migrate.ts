// Brings the schema up to date as its owner, makes the app's role able to log in, and refuses a server that is not safe.
import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import type { Log } from '../lib/log.ts';
import { isRefusedLogin } from './faults.ts';
import { inOrder } from './in-order.ts';
import { askForPooler } from './pooler.ts';

const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

// Any number that nothing else uses: one migration at a time on a database.
const MIGRATION_LOCK = 7_301_001;

/** Names of the migrations this code has, in order. What else lies in the folder (schema.sql) is none. */
export function migrationFiles(): string[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();
}

const textOf = (name: string) => readFileSync(new URL(name, MIGRATIONS), 'utf8');

/**
 * functions  files of SQL functions, beside the features that call them; replaced whenever their text changes, in this order
 * Runs the missing migrations, each in a transaction with lock and statement timeouts that holds an advisory lock,
 * so that two processes may start at once.
 * returns  names of the migrations that were run now
 * throws   when one fails (nothing of it stays), or when the database has seen others than these
 */
export async function migrate(ownerUrl: string, functions: readonly URL[], log: Log): Promise<string[]> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'marketing-migrate',
    connectionTimeoutMillis: 5000,
  });
  client.on('error', (err) => log.warn({ err }, 'the migration lost its connection'));
  await client.connect();
  try {
    await inTurn(client, async () => {
      await client.query(`create table if not exists schema_migrations (
        name text primary key, sha256 text not null, applied_at timestamptz(3) not null default now())`);
    });
    const { rows } = await client.query<{ name: string; sha256: string }>(
      "select name, sha256 from schema_migrations where name ~ '^[0-9]{4}_' order by name",
    );
    refuseStrange(rows);
    const applied = rows.map((row) => row.name);
    const done = applied.length < migrationFiles().length ? await runMissing(client, applied, log) : [];
    for (const file of functions) await replaceFunctions(client, file);
    await inTurn(client, async () => void (await client.query('select expect_one_site()')));
    return done;
  } finally {
    await client.end().catch(() => {});
  }
}

async function replaceFunctions(client: pg.Client, file: URL): Promise<void> {
  const sql = readFileSync(file, 'utf8');
  const row = [file.pathname.slice(file.pathname.lastIndexOf('/src/') + 5), sha256(sql)];
  const isKnown = async () =>
    (await client.query('select from schema_migrations where name = $1 and sha256 = $2', row)).rowCount === 1;
  if (await isKnown()) return;
  await inTurn(client, async () => {
    if (await isKnown()) return;
    await client.query(sql);
    await client.query(
      'insert into schema_migrations (name, sha256) values ($1, $2) on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()',
      row,
    );
  });
}

/** throws  when the schema was not made by exactly these files: nobody could say what it is */
function refuseStrange(applied: { name: string; sha256: string }[]): void {
  const names = applied.map(({ name }) => name);
  const unknown = names.filter((name) => !migrationFiles().includes(name));
  if (unknown.length > 0)
    throw new Error(
      `The database is newer than this version (${unknown.join(', ')}). Start the newer version, or restore a backup of this one.`,
    );
  const edited = names.filter((name, i) => sha256(textOf(name)) !== applied[i]!.sha256);
  if (edited.length > 0)
    throw new Error(
      `This database was migrated with another text of ${edited.join(', ')} than this version has. A migration that was applied is never edited: put the file back as it was released (git log -- api/migrations), and write what should change as a migration of its own with the next number.`,
    );
}

async function runMissing(client: pg.Client, applied: string[], log: Log): Promise<string[]> {
  const done: string[] = [];
  await inOrder(migrationFiles(), applied, async (name) => {
    const sql = textOf(name);
    const began = performance.now();
    let isOurs = false;
    await inTurn(client, async () => {
      // by another process, since this one looked
      if ((await client.query('select from schema_migrations where name = $1', [name])).rowCount) return;
      await client.query(sql);
      // noted inside the migration's own transaction
      await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [name, sha256(sql)]);
      isOurs = true;
    });
    if (!isOurs) return;
    done.push(name);
    log.info({ migration: name, ms: Math.round(performance.now() - began) }, 'migrated');
  });
  return done;
}

/**
 * A transaction that is alone with what it does: its lock and its limits are its own and end with it, so that neither stays with
 * a session that a pooler lends to another.
 */
async function inTurn(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query(
    'begin; set local lock_timeout = 0; set local statement_timeout = 0; set local client_min_messages = warning',
  );
  try {
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query("set local lock_timeout = '10s'; set local statement_timeout = '15min'");
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

const sha256 = (value: string) => createHash('sha256').update(value).digest('hex');

/**
 * Sees to it that marketing_app can log in, and answers the URL it does that with. Its password is derived from the
 * pepper, so that several processes agree on it without sharing another secret; it is set only when it is not yet that.
 */
export async function appUrl(ownerUrl: string, pepper: string): Promise<string> {
  const password = createHmac('sha256', pepper).update('password of marketing_app').digest('base64url');
  const url = new URL(ownerUrl);
  url.username = 'marketing_app';
  url.password = password;
  try {
    return await askForPooler(url.href);
  } catch (error) {
    if (!isRefusedLogin(error)) throw error;
  }
  const owner = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5000 });
  owner.on('error', () => {});
  await owner.connect();
  try {
    // base64url holds no quote; ALTER ROLE takes no parameters. In turn: of two processes that do it at once PostgreSQL refuses one
    await inTurn(owner, async () => {
      await owner.query(`alter role marketing_app login password '${password}'`);
    });
  } finally {
    await owner.end().catch(() => {});
  }
  return askForPooler(url.href);
}

/** Where the API serves from: as the role that DATABASE_APP_URL names, or the one that the owner makes. */
export const servingUrl = (config: {
  DATABASE_URL: string;
  DATABASE_APP_URL?: string | undefined;
  IP_HASH_PEPPER: string;
}): Promise<string> =>
  config.DATABASE_APP_URL
    ? askForPooler(config.DATABASE_APP_URL)
    : appUrl(config.DATABASE_URL, config.IP_HASH_PEPPER);

/**
 * Refuses to serve on a server that could lose what was acknowledged, or as a role that could see past row level security.
 * isManaged  what keeps the disks safe is the provider's: switches that are off for it are told instead of refused
 * returns    what was excused
 * throws     an Error naming every fault and what to do
 */
export async function refuseUnsafe(db: pg.Pool, isManaged = false): Promise<string[]> {
  const { rows } = await db.query<{ name: string; setting: string }>(
    "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'server_version_num', 'data_checksums')",
  );
  const setting = Object.fromEntries(rows.map((row) => [row.name, row.setting]));
  const faults: string[] = [];
  const excused: string[] = [];
  for (const name of ['fsync', 'full_page_writes', 'data_checksums'] as const) {
    if (setting[name] !== 'on')
      (isManaged ? excused : faults).push(
        `${name} is ${setting[name]}: acknowledged events could be lost or damaged unseen; set it on`,
      );
  }
  if (setting.synchronous_commit === 'off')
    faults.push('synchronous_commit is off: a crash could lose acknowledged events; set it on');
  if (Number(setting.server_version_num) < 180000)
    faults.push(
      `the server is PostgreSQL ${Math.floor(Number(setting.server_version_num) / 10000)}; 18 is needed`,
    );
  faults.push(...(await faultsOfRole(db)));
  const open = (
    await db.query<{ table: string }>(
      `select c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id' and not a.attisdropped
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
    )
  ).rows;
  if (open.length > 0)
    faults.push(`row level security is not forced on: ${open.map((row) => row.table).join(', ')}`);
  if (faults.length > 0)
    throw new Error(
      `This database is not safe to serve from:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  return excused;
}

/** Why row level security would not hold for the role that this pool serves as. */
export async function faultsOfRole(db: pg.Pool): Promise<string[]> {
  const faults: string[] = [];
  const role = (
    await db.query<{ name: string; superuser: boolean; bypass: boolean; owned: number }>(
      `select rolname as name, rolsuper as superuser, rolbypassrls as bypass,
         (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'public' and c.relkind in ('r', 'p') and pg_has_role(current_user, c.relowner, 'MEMBER')) as owned
       from pg_roles where rolname = current_user`,
    )
  ).rows[0]!;
  if (role.superuser)
    faults.push(`role ${role.name} is a superuser: row level security does not hold for it`);
  if (role.bypass) faults.push(`role ${role.name} has BYPASSRLS: row level security does not hold for it`);
  if (role.owned > 0)
    faults.push(
      `role ${role.name} owns tables: it could switch row level security off; serve as another role than the owner`,
    );
  return faults;
}
