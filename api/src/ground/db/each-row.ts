// Reads an answer row by row: whatever its length, one row is in memory.
import pg from 'pg';
import type { Db } from './pool.ts';

/**
 * db     a client inside a transaction
 * onRow  called in order, for each row as it arrives; must not throw
 */
export function eachRow<Row>(
  db: Db,
  query: { name?: string; text: string; values: unknown[] },
  onRow: (row: Row) => void,
): Promise<void> {
  return new Promise((done, failed) => {
    // with a listener and without a callback the driver gathers nothing
    const asked = new pg.Query(query as pg.QueryConfig);
    asked.on('row', (row) => onRow(row as Row));
    asked.on('end', () => done());
    asked.on('error', failed);
    db.query(asked);
  });
}
