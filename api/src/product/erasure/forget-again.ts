// After a restore: what people asked for since the backup happens again, before anyone is served.
import { randomUUID } from 'node:crypto';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Tables } from '../../ground/tables.ts';
import { emailHash } from '../captures/capture.ts';
import { type Forgotten, purposeDigest, readForgotten } from '../consent/forget-journal.ts';
import { consentStandings, withdrawConsent } from '../consent/record.ts';
import { forgetting } from './forget.ts';

export interface ForgottenAgain {
  erased: number;
  withdrawn: number;
  /** Entries of people the restored database does not know: they came after the backup. */
  unknown: number;
}

/** Which purposes a withdrawal was of: email, and those the restored lead has. */
async function purposesOf(
  pool: Pool,
  { siteId, leadId }: Extract<Forgotten, { kind: 'withdrawal' }>,
  digests: string[],
): Promise<string[]> {
  const standings = await inSites(pool, siteId, (db) => consentStandings(db, siteId, leadId));
  return standings
    .map(({ purpose }) => purpose)
    .filter((purpose) => digests.includes(purposeDigest(purpose)));
}

/**
 * pool     connections of the app's role to the restored database
 * since    the backup's moment: what is older is in it already, and a later opt-in must stand
 * journal  path of the journal of what was forgotten
 * pepper   the one the journal's hashes were made with; with another, people are still known by their lead's id
 * tables   of all features
 * returns  counts; running it twice changes nothing more
 */
export async function forgetAgain(
  pool: Pool,
  { journal, since, pepper, tables }: { journal: string; since: string; pepper: string; tables: Tables },
): Promise<ForgottenAgain> {
  const forget = forgetting(pool, tables, null);
  const done: ForgottenAgain = { erased: 0, withdrawn: 0, unknown: 0 };
  const addresses = new Map<string, Map<string, string>>();
  /** Every address of a site by its hash: leads, and who waits in quarantine. */
  async function addressOf(siteId: string, hash: string): Promise<string | undefined> {
    let ofSite = addresses.get(siteId);
    if (!ofSite) {
      const { rows } = await inSites(pool, siteId, (db) =>
        db.query<{ email: string }>(
          `select email_normalized as email from leads where site_id = $1
           union select email_normalized from quarantine where site_id = $1 and email_normalized is not null`,
          [siteId],
        ),
      );
      ofSite = new Map(rows.map(({ email }) => [emailHash(pepper, siteId, email), email]));
      addresses.set(siteId, ofSite);
    }
    return ofSite.get(hash);
  }
  for (const entry of await readForgotten(journal)) {
    if (entry.at < since) continue;
    const lead = await inSites(
      pool,
      entry.siteId,
      async (db) =>
        (
          await db.query<{ email_normalized: string; unsubscribe_key: string }>(
            'select email_normalized, unsubscribe_key from leads where site_id = $1 and lead_id = $2',
            [entry.siteId, entry.leadId],
          )
        ).rows[0],
    );
    if (entry.kind === 'withdrawal') {
      if (!lead) {
        done.unknown += 1;
        continue;
      }
      await withdrawConsent(pool, {
        site_id: entry.siteId,
        request_id: randomUUID(),
        at: entry.saidAt ?? entry.at,
        basis: 'unsubscribe_request',
        key: lead.unsubscribe_key,
        purposes: entry.purposes && (await purposesOf(pool, entry, entry.purposes)),
        reason: 'repeated after a restore',
      });
      done.withdrawn += 1;
      continue;
    }
    const { found } = await forget({
      siteId: entry.siteId,
      // The same person under another lead: erased, and captured anew before the backup was made. Without any address
      // there may still be conversions told by it.
      emailNormalized: lead?.email_normalized ?? (await addressOf(entry.siteId, entry.emailHash)) ?? null,
      emailHash: entry.emailHash,
      again: { leadId: entry.leadId, at: entry.at },
    });
    if (found) done.erased += 1;
    else done.unknown += 1;
  }
  return done;
}
