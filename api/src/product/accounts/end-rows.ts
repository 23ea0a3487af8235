// Ends rows of accounts' tables on time: they belong to no site, so the purge itself does not see them.
import type { Pool } from '../../ground/db/pool.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import { inAccounts } from './in-accounts.ts';

/** condition  SQL over the table, $1 the bound. counted  its name among the counts of a purge */
export function endRows(db: Pool, table: string, condition: string, counted: string): Ending {
  return async ({ bound, dryRun }) => {
    const count = await inAccounts(db, async (tx) => {
      if (!dryRun) return (await tx.query(`delete from ${table} where ${condition}`, [bound])).rowCount ?? 0;
      const sql = `select count(*)::int as count from ${table} where ${condition}`;
      return (await tx.query<{ count: number }>(sql, [bound])).rows[0]!.count;
    });
    return { rows: { [counted]: count } };
  };
}
