// After a restore: what people asked for since the backup happens again, before anyone is served.
import { randomUUID } from 'node:crypto';
import { readForgotten } from '../consent/forget-journal.ts';
import { withdrawConsent } from '../consent/queries.ts';
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { emailHash } from './capture.ts';
import { forget } from './forget.ts';

export interface ForgottenAgain {
  erased: number;
  withdrawn: number;
  /** Entries of people the restored database does not know: they came after the backup. */
  unknown: number;
}

/**
 * pool     connections of the app's role to the restored database
 * since    the backup's moment: what is older is in it already, and a later opt-in must stand
 * journal  path of the journal of what was forgotten
 * pepper   the one the journal's hashes were made with; with another, people are still known by their lead's id
 * returns  counts; running it twice changes nothing more
 */
export async function forgetAgain(
  pool: Pool,
  { journal, since, pepper }: { journal: string; since: string; pepper: string },
): Promise<ForgottenAgain> {
  const done: ForgottenAgain = { erased: 0, withdrawn: 0, unknown: 0 };
  for (const entry of await readForgotten(journal)) {
    if (entry.at < since) continue;
    const known = await inSites(pool, entry.siteId, async (db) => {
      const { rows } = await db.query<{ email_normalized: string; unsubscribe_key: string }>(
        'select email_normalized, unsubscribe_key from leads where site_id = $1 and lead_id = $2',
        [entry.siteId, entry.leadId],
      );
      if (rows[0] || entry.kind === 'withdrawal') return rows[0];
      // The same person under another lead: erased, and captured anew before the backup was made.
      const all = await db.query<{ email_normalized: string; unsubscribe_key: string }>(
        'select email_normalized, unsubscribe_key from leads where site_id = $1',
        [entry.siteId],
      );
      return all.rows.find(
        (lead) => emailHash(pepper, entry.siteId, lead.email_normalized) === entry.emailHash,
      );
    });
    if (!known) {
      done.unknown += 1;
    } else if (entry.kind === 'withdrawal') {
      await withdrawConsent(pool, {
        site_id: entry.siteId,
        request_id: randomUUID(),
        at: entry.at,
        basis: 'unsubscribe_request',
        key: known.unsubscribe_key,
        reason: 'repeated after a restore',
      });
      done.withdrawn += 1;
    } else {
      const { found } = await forget(
        pool,
        {
          siteId: entry.siteId,
          emailNormalized: known.email_normalized,
          emailHash: entry.emailHash,
          again: { leadId: entry.leadId, at: entry.at },
        },
        null,
      );
      if (found) done.erased += 1;
      else done.unknown += 1;
    }
  }
  return done;
}
