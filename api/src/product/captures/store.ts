// Stores a capture in PostgreSQL, and tries again what failed only in passing.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { isDatabaseAway } from '../../ground/http/errors.ts';
import { makePartitions } from '../events/queries.ts';
import type { Capture } from './capture.ts';

const DEADLOCK = '40P01';
const SERIALIZATION_FAILURE = '40001';
const NO_PARTITION = '23514';

export interface Captured {
  leadId: string;
  visitorId: string | null;
  sessionId: string | null;
  heuristicLinksCreated: number;
  outcome: 'stored' | 'duplicate' | 'quarantined' | 'erased';
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs work again after a deadlock (three times), a missing partition (once), or a lost connection (once). */
export async function withRetries<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const code = (error as { code?: string } | null)?.code ?? '';
      if (attempt <= 3 && (code === DEADLOCK || code === SERIALIZATION_FAILURE))
        await pause(Math.random() * 20 * attempt);
      else if (attempt === 1 && code === NO_PARTITION) await makePartitions(pool, -2, 1);
      else if (attempt === 1 && isDatabaseAway(error)) await pause(50);
      else throw error;
    }
  }
}

/** Stores a capture in one round trip and one transaction (capture_lead.sql). Safe to call again with the same capture. */
export async function storeCapture(db: Db, capture: Capture): Promise<Captured> {
  const { rows } = await db.query<{ captured: Captured }>({
    name: 'capture_lead',
    text: 'select capture_lead($1) as captured',
    values: [JSON.stringify(capture)],
  });
  return rows[0]!.captured;
}
