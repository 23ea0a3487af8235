// Forces an order on requests that want the same lock: hold it, let them queue for it one after the other, let go.
import type { Pool } from '../src/ground/db/pool.ts';

const PATIENCE_MS = 60_000;

/**
 * Begins each work once the one before it waits in this database for the lock that `sql` takes; PostgreSQL then hands
 * the lock on in that order. So which of them meets which does not depend on how fast the machine is.
 * returns  what they answered, in the order given
 */
export async function inLine<const Works extends readonly (() => Promise<unknown>)[]>(
  owner: Pool,
  [sql, values]: readonly [sql: string, values: readonly unknown[]],
  works: Works,
): Promise<{ -readonly [At in keyof Works]: Awaited<ReturnType<Works[At]>> }> {
  const holder = await owner.connect();
  const begun: Promise<unknown>[] = [];
  try {
    await holder.query('begin');
    await holder.query(sql, [...values]);
    for (const work of works) {
      begun.push(work());
      const end = Date.now() + PATIENCE_MS;
      while ((await waiting(owner)) < begun.length) {
        if (Date.now() > end) throw new Error(`number ${begun.length} does not wait for the lock`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  } finally {
    await holder.query('rollback');
    holder.release();
    await Promise.allSettled(begun);
  }
  return (await Promise.all(begun)) as { -readonly [At in keyof Works]: Awaited<ReturnType<Works[At]>> };
}

/** How many wait for a lock in this database; other test files have theirs on the same server. */
export async function waiting(owner: Pool): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]!.count;
}
