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
  log: Log;
}

/** A pool whose lost connections are logged and replaced instead of ending the process. */
export function makePool(url: string, { name, connectionsMax, statementTimeoutMs, log }: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `marketing-${name}`,
    max: connectionsMax,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    options: '-c TimeZone=UTC -c jit=off',
  });
  pool.on('error', (err) => log.warn({ err, pool: name }, 'a database connection was lost'));
  return pool;
}
