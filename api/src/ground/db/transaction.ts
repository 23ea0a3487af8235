// A transaction, and the one in which row level security lets some sites be seen.
import type pg from 'pg';
import { isUuid } from '../lib/uuid.ts';
import { isStandingStill } from './faults.ts';
import type { Pool } from './pool.ts';
import { limitsOf } from './pooler.ts';

/**
 * Runs work inside a transaction that sees exactly these sites (row level security); commits when work resolves.
 * siteIds  uuids; checked, since they stand in the statement's text (BEGIN and SET are then one round trip)
 */
export async function inSites<T>(
  pool: Pool,
  siteIds: string | string[],
  work: (db: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const ids = typeof siteIds === 'string' ? [siteIds] : siteIds;
  if (!ids.every(isUuid)) throw new Error('inSites: not a site id');
  return transaction(pool, work, `begin; set local marketing.sites = '${ids.join(',')}'`);
}

export async function transaction<T>(
  pool: Pool,
  work: (db: pg.PoolClient) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = await pool.connect();
  // A connection that broke inside the transaction emits here too; without a listener that would end the process.
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const limits = limitsOf(pool);
    await client.query(limits ? `${begin}; ${limits}` : begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // nobody is there to roll anything back; the connection goes, and the server ends what it began on it
    if (isStandingStill(error)) broken = error as Error;
    else
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
