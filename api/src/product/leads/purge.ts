// Forgets on time what belongs to leads (contract §7): payloads, lapsed leads, decided quarantine, old proofs.

import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { NO_SITE } from '../../ground/site.ts';
import { forget } from '../erasure/forget.ts';
import { trimForgotten } from '../erasure/forget-journal.ts';

const BITE = 1000;

export interface LeadRetention {
  payloadMonths: number;
  lapsedLeadDays: number;
  consentRecordYears: number;
  auditLogYears: number;
  quarantineDays: number;
}
export const LEAD_RETENTION: LeadRetention = {
  payloadMonths: 12,
  lapsedLeadDays: 30,
  consentRecordYears: 3,
  auditLogYears: 7,
  quarantineDays: 30,
};

/**
 * dryRun   counts, changes nothing
 * returns  rows per kind
 */
export async function purgeLeads(
  pool: Pool,
  siteIds: string[],
  hashAddress: (siteId: string, normalized: string) => string,
  { dryRun = false, forgetJournal = null as string | null, retention = LEAD_RETENTION } = {},
): Promise<Record<string, number>> {
  const done: Record<string, number> = {
    payloads: 0,
    lapsedLeads: 0,
    quarantined: 0,
    mails: 0,
    optIns: 0,
    withdrawalRequests: 0,
    consentRecords: 0,
    auditEntries: 0,
  };
  for (const siteId of siteIds) {
    const statements: [string, string, unknown[]][] = [
      [
        'payloads',
        'submissions where site_id = $1 and payload is not null and submitted_at < now() - make_interval(months => $2)',
        [retention.payloadMonths],
      ],
      [
        'quarantined',
        'quarantine where site_id = $1 and coalesce(decided_at, received_at) < now() - make_interval(days => $2)',
        [retention.quarantineDays],
      ],
      [
        'mails',
        'outgoing_mails where site_id = $1 and coalesce(sent_at, given_up_at) < now() - make_interval(days => $2)',
        [30],
      ],
      [
        'optIns',
        'opt_ins where site_id = $1 and confirmed_at is null and requested_at < now() - make_interval(days => $2)',
        [30],
      ],
      [
        'withdrawalRequests',
        'withdrawal_requests where site_id = $1 and requested_at < now() - make_interval(days => $2)',
        [30],
      ],
    ];
    for (const [kind, rows, values] of statements) {
      for (let bite = BITE; bite === BITE; ) {
        bite = await inSites(pool, siteId, async (db) => {
          const parameters = [siteId, ...values];
          const table = rows.split(' ')[0]!;
          if (dryRun) {
            done[kind]! += (await db.query<{ count: number }>(`select count(*) from ${rows}`, parameters))
              .rows[0]!.count;
            return 0;
          }
          const chosen = `ctid = any (array(select ctid from ${rows} limit ${BITE}))`;
          const { rowCount } = await db.query(
            kind === 'payloads'
              ? `update ${table} set payload = null where site_id = $1 and ${chosen}`
              : `delete from ${table} where site_id = $1 and ${chosen}`,
            parameters,
          );
          done[kind]! += rowCount ?? 0;
          return rowCount ?? 0;
        });
      }
    }
    // Consent that lapsed: nothing allows us to keep the address, so it is forgotten as if the person had asked.
    // A withdrawal stays: forgetting it would let the next import write to them again.
    const lapsed = await inSites(pool, siteId, (db) =>
      db.query<{ email: string }>(
        `select email_normalized as email from leads where site_id = $1 and consent_status = 'expired'
         and greatest(consent_at, last_submitted_at) < now() - make_interval(days => $2) order by lead_id limit 5000`,
        [siteId, retention.lapsedLeadDays],
      ),
    );
    for (const { email } of lapsed.rows) {
      if (!dryRun)
        await forget(
          pool,
          { siteId, emailNormalized: email, emailHash: hashAddress(siteId, email) },
          forgetJournal,
        );
      done.lapsedLeads! += 1;
    }
    if (!dryRun)
      done.consentRecords! += await inSites(
        pool,
        siteId,
        async (db) =>
          (
            await db.query<{ purged: number }>(
              'select purge_consent_records($1, now() - make_interval(years => $2)) as purged',
              [siteId, retention.consentRecordYears],
            )
          ).rows[0]!.purged,
      );
  }
  if (!dryRun) {
    done.auditEntries! += await inSites(
      pool,
      [...siteIds, NO_SITE],
      async (db) =>
        (
          await db.query<{ purged: number }>(
            'select purge_audit_log(now() - make_interval(years => $1)) as purged',
            [retention.auditLogYears],
          )
        ).rows[0]!.purged,
    );
    if (forgetJournal) await trimForgotten(forgetJournal);
  }
  return done;
}
