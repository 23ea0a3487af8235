// Writes down in the audit log what a job changed for a site by itself, in the transaction of the change.
import type { Db } from './db/pool.ts';
import { MACHINE } from './http/caller.ts';

const DONE = 200;

/** Ids and names of ours only, never an address. Inside a transaction of inSites. */
export async function noteOfJob(
  db: Db,
  siteId: string,
  job: string,
  target: string,
  details: Record<string, string | null>,
): Promise<void> {
  await db.query(
    'insert into audit_log (site_id, actor, action, target, outcome, details) values ($1, $2, $3, $4, $5, $6)',
    [siteId, MACHINE.actor, `job ${job}`, target, DONE, JSON.stringify(details)],
  );
}
