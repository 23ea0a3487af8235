// What a database holds, in a form that can be compared: rows and a checksum for each table, and its schema.
import type pg from 'pg';
import { quoted } from './tools.ts';

export interface TableFingerprint {
  rows: string;
  /** Sum of a 64-bit hash of each row's text: the same rows in any order give the same number. */
  checksum: string;
}

export interface Fingerprint {
  tables: Record<string, TableFingerprint>;
  /** How many indexes, constraints, policies, triggers, functions there are: a restore that lost one is no restore. */
  objects: Record<string, number>;
  /** Names of the migrations that made the schema, in order. */
  migrations: string[];
}

/** Tables whose rows must not outlive their hours in a dump: a restored database makes new ones. */
export const LEFT_OUT = [
  'day_salts',
  'user_sessions',
  'used_refresh_tokens',
  'one_time_links',
  'account_mails',
] as const;

/**
 * Reads every row once, one table at a time, so memory stays bounded whatever the size.
 * client  should be in a repeatable-read transaction, or the database at rest
 * source  design §1: a dump counts as good only when what it restores to is equal, table by table
 */
export async function fingerprint(client: pg.ClientBase): Promise<Fingerprint> {
  const tables: Record<string, TableFingerprint> = {};
  const { rows: names } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
        and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        and not (n.nspname = 'public' and c.relname = any ($1))
      order by 1, 2`,
    [LEFT_OUT],
  );
  for (const { schema, name } of names) {
    const { rows } = await client.query<TableFingerprint>(
      `select count(*)::text as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as checksum
         from ${quoted(schema)}.${quoted(name)} t`,
    );
    tables[schema === 'public' ? name : `${schema}.${name}`] = rows[0]!;
  }
  const { rows: counted } = await client.query<{ kind: string; n: number }>(
    `select 'partitions' as kind, count(*)::int as n from pg_class c where relispartition and relkind in ('r', 'p')
      union all select 'indexes', count(*)::int from pg_index i join pg_class c on c.oid = i.indexrelid
                                  join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and i.indisvalid
      union all select 'constraints', count(*)::int from pg_constraint k join pg_namespace n on n.oid = k.connamespace
                                  where n.nspname = 'public'
      union all select 'policies', count(*)::int from pg_policy
      union all select 'forced_rls', count(*)::int from pg_class where relforcerowsecurity
      union all select 'triggers', count(*)::int from pg_trigger where not tgisinternal
      union all select 'functions', count(*)::int from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                                  where n.nspname = 'public'
      order by 1`,
  );
  return {
    tables,
    objects: Object.fromEntries(counted.map(({ kind, n }) => [kind, n])),
    migrations: await migrationsDone(client),
  };
}

/** Names of the numbered migrations a database has seen, oldest first; empty when it is not one of ours. */
export async function migrationsDone(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as there`,
  );
  if (!rows[0]!.there) return [];
  const { rows: done } = await client.query<{ name: string }>(
    "select name from public.schema_migrations where name ~ '^[0-9]{4}_' order by name",
  );
  return done.map(({ name }) => name);
}

/** In words, what differs; empty when nothing does. At most 20 lines, they are for a person. */
export function differences(expected: Fingerprint, actual: Fingerprint): string[] {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(expected.tables), ...Object.keys(actual.tables)])) {
    const want = expected.tables[name];
    const have = actual.tables[name];
    if (!have) found.push(`table ${name} is missing`);
    else if (!want) found.push(`table ${name} was not in the backup`);
    else if (want.rows !== have.rows)
      found.push(`table ${name} has ${have.rows} rows instead of ${want.rows}`);
    else if (want.checksum !== have.checksum) found.push(`table ${name} has other content`);
  }
  for (const [kind, n] of Object.entries(expected.objects))
    if (actual.objects[kind] !== n) found.push(`${actual.objects[kind] ?? 0} ${kind} instead of ${n}`);
  if (expected.migrations.join() !== actual.migrations.join()) found.push('the list of migrations differs');
  return found.slice(0, 20);
}
