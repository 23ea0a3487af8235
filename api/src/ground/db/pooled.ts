// A pool behind a pooler in transaction mode, where nothing outlasts a transaction: neither the limits of a session, which it
// refuses or forgets, nor statements with a name. So each transaction says its limits, a statement alone is made one, and
// names are left out.
import pg from 'pg';
import { sayLimits } from './pooler.ts';
import { transaction } from './transaction.ts';

/** limits  as PostgreSQL calls them, with the text of their values */
export function eachAlone(pool: pg.Pool, limits: Record<string, string | number>): pg.Pool {
  sayLimits(
    pool,
    Object.entries(limits)
      .map(([name, value]) => `set local ${name} = ${value}`)
      .join('; '),
  );
  pool.on('connect', (client) => {
    const { query } = client;
    client.query = function unnamed(this: pg.PoolClient, question: unknown, ...more: unknown[]) {
      return Reflect.apply(query, this, [withoutName(question), ...more]);
    } as typeof query;
  });
  pool.query = ((question: string, values?: unknown[]) =>
    transaction(pool, (client) => client.query(question, values))) as typeof pool.query;
  return pool;
}

function withoutName(question: unknown): unknown {
  if (typeof question !== 'object' || question === null || !('name' in question)) return question;
  // an answer that is read row by row is an object of the driver's own
  if (question instanceof pg.Query) return Object.assign(question, { name: undefined });
  return { ...question, name: undefined };
}
