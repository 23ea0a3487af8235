// Connections: small pools, bounded statements, and the types that PostgreSQL's answers become.
import pg from 'pg';
import type { Log } from '../lib/log.ts';

export type Pool = pg.Pool;
/** What a statement can be asked of: the pool, or a client inside someone's transaction. */
export type Db = Pick<pg.PoolClient, 'query'>;

const INT8 = 20;
const DATE = 1082;
// counts stay far below 2^53; a date is a calendar day, not an instant of this process's time zone
pg.types.setTypeParser(INT8, Number);
pg.types.setTypeParser(DATE, (day) => day);

interface PoolOptions {
  name: string;
  connectionsMax: number;
  statementTimeoutMs: number;
  /** How long a row that somebody else has locked is waited for; absent: as long as a statement may take. */
  lockTimeoutMs?: number;
  log: Log;
}

// A server that stands still does not end its own statements: ours are given up a little later than it would have.
const STANDSTILL_MS = 2000;

/** A pool whose lost connections are logged and replaced instead of ending the process. */
export function makePool(
  url: string,
  { name, connectionsMax, statementTimeoutMs, lockTimeoutMs = statementTimeoutMs, log }: PoolOptions,
): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `marketing-${name}`,
    max: connectionsMax,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + STANDSTILL_MS,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    options: '-c TimeZone=UTC -c jit=off',
  });
  pool.on('error', (err) => log.warn({ err, pool: name }, 'a database connection was lost'));
  return pool;
}
