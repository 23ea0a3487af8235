// Stores a capture in PostgreSQL.
import type { Db } from '../../ground/db/pool.ts';
import type { Capture } from './capture.ts';

export interface Captured {
  leadId: string;
  visitorId: string | null;
  sessionId: string | null;
  outcome: 'stored' | 'duplicate' | 'quarantined' | 'erased';
  /** Its number in the outbox; absent or null: nobody was told. */
  told?: number | null;
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
