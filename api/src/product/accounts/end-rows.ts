// Ends rows of accounts' tables on time: they belong to no site, so the purge itself does not see them.
import type { Pool } from '../../ground/db/pool.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import { inAccounts } from './in-accounts.ts';

/**
 * condition  SQL over the table, $1 the bound
 * counted    its name among the counts of a purge
 * along      a table whose rows go with these, and by which column
 */
export function endRows(
  db: Pool,
  table: string,
  condition: string,
  counted: string,
  along?: [table: string, by: string],
): Ending {
  return async ({ bound, dryRun }) => {
    const rows: Record<string, number> = {};
    const count = await inAccounts(db, async (tx) => {
      if (along) {
        const [child, by] = along;
        const sql = `select count(*)::int as count from ${child} where ${by} in (select ${by} from ${table} where ${condition})`;
        rows[child] = (await tx.query<{ count: number }>(sql, [bound])).rows[0]!.count;
      }
      if (!dryRun) return (await tx.query(`delete from ${table} where ${condition}`, [bound])).rowCount ?? 0;
      const sql = `select count(*)::int as count from ${table} where ${condition}`;
      return (await tx.query<{ count: number }>(sql, [bound])).rows[0]!.count;
    });
    return { rows: { ...rows, [counted]: count } };
  };
}
