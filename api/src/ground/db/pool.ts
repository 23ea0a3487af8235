// Connections: small pools, bounded statements, and the types that PostgreSQL's answers become.
import pg from 'pg';
import type { Log } from '../lib/log.ts';
import { eachAlone } from './pooled.ts';
import { isPooledUrl } from './pooler.ts';

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
  /** How long a connection is waited for, a free one or a new one. */
  connectMs?: number;
  log: Log;
}

// A server that stands still does not end its own statements: ours are given up a little later than it would have.
const STANDSTILL_MS = 2000;

const IDLE_IN_TRANSACTION_MS = 60_000;

/** A pool whose lost connections are logged and replaced instead of ending the process. */
export function makePool(
  url: string,
  {
    name,
    connectionsMax,
    statementTimeoutMs,
    lockTimeoutMs = statementTimeoutMs,
    connectMs = 5000,
    log,
  }: PoolOptions,
): Pool {
  const common = {
    connectionString: url,
    application_name: `marketing-${name}`,
    max: connectionsMax,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    query_timeout: statementTimeoutMs + STANDSTILL_MS,
  };
  const limits = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
  const pool = isPooledUrl(url)
    ? eachAlone(new pg.Pool(common), { ...limits, timezone: "'UTC'", jit: 'off' })
    : new pg.Pool({ ...common, ...limits, options: '-c TimeZone=UTC -c jit=off' });
  pool.on('error', (err) => log.warn({ err, pool: name }, 'a database connection was lost'));
  return pool;
}
