// One row of numbers about all sites at once, which the machine's own readings tell.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Sites } from './recognise.ts';

/** sql  a query that answers exactly one row */
export async function numbersOfAll<T extends object>(
  { db, sites }: { db: Pool; sites: Pick<Sites, 'ids'> },
  sql: string,
  values: unknown[] = [],
): Promise<T> {
  const { rows } = await inSites(db, sites.ids(), (tx) => tx.query<T>(sql, values));
  return rows[0]!;
}
