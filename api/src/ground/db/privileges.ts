// What the owner of the database must be allowed, asked before the first migration: each thing that is missing is a sentence
// that says what to grant.
import pg from 'pg';

interface Owner {
  name: string;
  database: string;
  is_super: boolean;
  makes_roles: boolean;
  sees_all: boolean;
  makes_databases: boolean;
  makes_tables: boolean;
  has_app: boolean;
}

/**
 * isAppNamed  DATABASE_APP_URL says who serves, so the owner need not make a role
 * backsUp     backups are made here
 * throws      an Error naming everything that is missing
 */
export async function refusePowerless(
  ownerUrl: string,
  { isAppNamed, backsUp }: { isAppNamed: boolean; backsUp: boolean },
): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Owner>(
      `select rolname as name, current_database() as database, rolsuper as is_super, rolcreaterole as makes_roles,
         rolbypassrls as sees_all, rolcreatedb as makes_databases, has_schema_privilege('public', 'create') as makes_tables,
         exists (select from pg_roles where rolname = 'marketing_app') as has_app
       from pg_roles where rolname = current_user`,
    );
    const faults = missing(rows[0]!, isAppNamed, backsUp);
    if (faults.length > 0)
      throw new Error(
        `The owner of the database may not do what it has to. As an administrator of the server:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
      );
  } finally {
    await client.end().catch(() => {});
  }
}

function missing(owner: Owner, isAppNamed: boolean, backsUp: boolean): string[] {
  if (owner.is_super) return [];
  const name = pg.escapeIdentifier(owner.name);
  const faults: string[] = [];
  if (!owner.makes_tables)
    faults.push(
      `it may make no tables: alter database ${pg.escapeIdentifier(owner.database)} owner to ${name}; or: grant create on schema public to ${name}`,
    );
  if (!owner.has_app && !owner.makes_roles)
    faults.push(
      "the role marketing_app is not there, and it may make none: create role marketing_app login password '…'; and name that role with its password in DATABASE_APP_URL",
    );
  else if (!owner.makes_roles && !isAppNamed)
    faults.push(
      'it may set no password of marketing_app: name that role with its password in DATABASE_APP_URL',
    );
  if (backsUp && !owner.sees_all)
    faults.push(
      `it does not see past row level security, so no backup can be made: alter role ${name} bypassrls; or, where the provider of the server makes backups, set BACKUPS=off`,
    );
  if (backsUp && !owner.makes_databases)
    faults.push(
      `it may make no databases, so no backup can be restored on trial: alter role ${name} createdb; or set BACKUPS=off`,
    );
  return faults;
}
