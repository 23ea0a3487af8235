// Writes lines into the audit log: ids and names of ours only, never an address.
import type { Db } from './db/pool.ts';
import { MACHINE } from './http/caller.ts';

const DONE = 200;

export interface AuditLine {
  siteId: string;
  actor: string;
  action: string;
  target: string | null;
  /** Of a route the status of its answer; of anything else 200, or 500 when it failed. */
  outcome: number;
  /** Of a route. */
  requestId?: string;
  details: object | null;
}

/** Inside a transaction of inSites. */
export async function noteLine(db: Db, line: AuditLine): Promise<void> {
  const { siteId, actor, action, target, outcome, requestId = null, details } = line;
  await db.query(
    'insert into audit_log (site_id, actor, action, target, outcome, request_id, details) values ($1, $2, $3, $4, $5, $6, $7)',
    [siteId, actor, action, target, outcome, requestId, details && JSON.stringify(details)],
  );
}

/** What a job changed for a site by itself, in the transaction of the change. */
export const noteOfJob = (
  db: Db,
  siteId: string,
  job: string,
  target: string,
  details: Record<string, string | null>,
): Promise<void> =>
  noteLine(db, { siteId, actor: MACHINE.actor, action: `job ${job}`, target, outcome: DONE, details });
