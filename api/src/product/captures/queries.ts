// The SQL door of leads.
import type { Db } from '../../ground/db/pool.ts';
import type { ArrivedEvent } from '../events/enrich.ts';
import type { Capture } from './capture.ts';

export interface Captured {
  leadId: string;
  visitorId: string | null;
  sessionId: string | null;
  heuristicLinksCreated: number;
  outcome: 'stored' | 'duplicate' | 'quarantined' | 'erased';
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

/** How long the link of a double opt-in works. */
export const CONFIRM_VALID_DAYS = 14;

/** What confirm_opt_in() takes; also what the journal keeps while the database is away. */
export interface Confirmation {
  site_id: string;
  /** The random half of the link. */
  token: string;
  at: string;
  valid_days: number;
  inactivity: string;
  ip_hash: string;
  ua_hash: string;
  privacy_signal: boolean;
  /** Its id, visitor and site are the opt-in's. */
  event: Omit<ArrivedEvent, 'event_id' | 'visitor_id' | 'site_id'>;
}

/** expired: too old, or withdrawn since; unknown: no link of ours, or its person was erased. */
export type Confirmed = 'confirmed' | 'expired' | 'unknown';

/** Confirms an address in one round trip and one transaction (confirm_opt_in.sql). Safe to call again with the same request. */
export async function confirmOptIn(db: Db, request: Confirmation): Promise<Confirmed> {
  const { rows } = await db.query<{ confirmed: Confirmed }>({
    name: 'confirm_opt_in',
    text: 'select confirm_opt_in($1) as confirmed',
    values: [JSON.stringify(request)],
  });
  return rows[0]!.confirmed;
}
