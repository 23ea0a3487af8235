// Two transactions at one row: the one holds it, the other comes to wait, the first commits, and the second goes on with
// what it finds then.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

const PATIENCE_MS = 60_000;

/**
 * held  what the first one does before it commits; the other begins after it
 * work  what comes to wait for it
 * returns  what the work returned, once it had waited and gone on
 * throws   what the work threw, or an Error when it never came to wait
 */
export async function beside<T>(
  ownerUrl: string,
  held: (client: pg.Client) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  const first = new pg.Client(ownerUrl);
  await first.connect();
  try {
    await first.query('begin');
    await held(first);
    const { rows } = await first.query<{ pid: number }>('select pg_backend_pid() as pid');
    let ended = false;
    const working = work().finally(() => {
      ended = true;
    });
    working.catch(() => {});
    await somebodyWaits(first, rows[0]!.pid, () => ended);
    await first.query('commit');
    return await working;
  } finally {
    await first.end();
  }
}

async function somebodyWaits(client: pg.Client, pid: number, ended: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const { rows } = await client.query(
      'select from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
      [pid],
    );
    if (rows.length > 0) return;
    if (ended()) throw new Error('what should have waited ended before');
    await pause(20);
  }
  throw new Error('nobody came to wait');
}
