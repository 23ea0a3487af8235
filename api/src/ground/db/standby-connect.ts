// Connections to a hot standby, and why one may be nothing that numbers are read from.
import type { Log } from '../lib/log.ts';
import { codeOf, isRefusedLogin, SQLSTATE } from './faults.ts';
import { faultsOfRole } from './migrate.ts';
import { makePool, type Pool } from './pool.ts';
import { askForPooler } from './pooler.ts';

/** What has to be changed before it can be used; waiting does not help. */
export class StandbyFault extends Error {}

export interface StandbyPools {
  reading: Pool;
  watching: Pool;
}

const UNKNOWN_DATABASE = '3D000';

/** Who signs in, and to which database, is as on the primary where the URL does not say so. */
function asServing(url: string, servingUrl: string): string {
  const its = new URL(url);
  const serving = new URL(servingUrl);
  if (!its.username) {
    its.username = serving.username;
    its.password = serving.password;
  }
  if (its.pathname.length < 2) its.pathname = serving.pathname;
  return its.href;
}

/** throws  StandbyFault, or that it is away */
export async function connectTo(
  given: string,
  servingUrl: string,
  primary: Pool,
  log: Log,
): Promise<StandbyPools> {
  const url = asServing(given, servingUrl);
  const known = await askForPooler(url).catch((error: Error) => {
    throw isRefusedLogin(error) || [UNKNOWN_DATABASE, SQLSTATE.insufficientPrivilege].includes(codeOf(error))
      ? new StandbyFault(
          `METRICS_DATABASE_URL: the standby does not let ${decodeURIComponent(new URL(url).username)} in (${error.message}). Name no role there, and the API signs in as on the primary`,
          { cause: error },
        )
      : error;
  });
  const reading = makePool(known, { name: 'numbers', connectionsMax: 6, statementTimeoutMs: 15_000, log });
  try {
    const faults = [...(await faultsOfServer(reading, primary)), ...(await faultsOfRights(reading))];
    if (faults.length > 0)
      throw new StandbyFault(
        `METRICS_DATABASE_URL names nothing that numbers may be read from:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
      );
  } catch (error) {
    await reading.end();
    throw error;
  }
  // one that stands still is found out by a connection that does not wait for long
  const watching = makePool(known, {
    name: 'numbers-watch',
    connectionsMax: 1,
    statementTimeoutMs: 2000,
    log,
  });
  return { reading, watching };
}

async function faultsOfServer(standby: Pool, primary: Pool): Promise<string[]> {
  const [itsSystem, ourSystem] = await Promise.all([systemOf(standby), systemOf(primary)]);
  if (itsSystem !== null && ourSystem !== null && itsSystem !== ourSystem)
    return ['it is no standby of the server of DATABASE_URL: make it with pg_basebackup from that one'];
  const [its, ours] = await Promise.all([databaseOf(standby), databaseOf(primary)]);
  return its === ours ? [] : [`it names the database ${its}, not ${ours}`];
}

/** What every copy of a cluster has in common; null where a provider lets nobody know. */
async function systemOf(db: Pool): Promise<string | null> {
  try {
    const { rows } = await db.query<{ system: string }>(
      'select system_identifier::text as system from pg_control_system()',
    );
    return rows[0]!.system;
  } catch (error) {
    if (codeOf(error) === SQLSTATE.insufficientPrivilege) return null;
    throw error;
  }
}

const databaseOf = async (db: Pool): Promise<string> =>
  (await db.query<{ name: string }>('select current_database() as name')).rows[0]!.name;

async function faultsOfRights(standby: Pool): Promise<string[]> {
  const { rows } = await standby.query<{ name: string; tables: string[] }>(
    `select current_user as name, coalesce(array_agg(c.relname::text order by c.relname), '{}') as tables
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
       and has_table_privilege(to_regrole('marketing_app'), c.oid, 'select') and not has_table_privilege(c.oid, 'select')`,
  );
  const { name, tables } = rows[0]!;
  const faults = await faultsOfRole(standby);
  if (tables.length > 0)
    faults.push(
      `role ${name} may not read ${tables.slice(0, 3).join(', ')}${tables.length > 3 ? ` and ${tables.length - 3} more` : ''}: on the primary, grant marketing_app to ${name}; or name no role there`,
    );
  return faults;
}
