// What ends of consent by the clock: implied consent, and proof after its time.
import type { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Job } from '../../ground/jobs/runner.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import type { Sites } from '../sites/recognise.ts';
import { chainsOptions, checkChains } from './chains.ts';
import { expireConsents } from './queries.ts';

export function consentJobs({ db, sites }: { db: Pool; sites: Sites }): Job[] {
  return [
    {
      name: 'consent_expiry',
      cron: '5 0 * * *',
      why: 'implied consent ends by law: 6 months after an inquiry, 2 years after a purchase',
      run: async () => ({ expired: await expireConsents(db, sites.ids()) }),
    },
    {
      name: 'consent_chains',
      cron: '45 1 * * *', // before the backup, which carries the root away
      minutesMax: 60,
      why: 'proof that nobody looks at proves little: every chain of consent records, hashed again; one root for the backup',
      options: chainsOptions,
      async run({ options, signal, log }) {
        const { at } = options as z.output<typeof chainsOptions>;
        const found = await checkChains(db, sites.ids(), { signal, ...(at ? { at: new Date(at) } : {}) });
        if (found.broken > 0) log.error(found, 'chains of consent records are not whole');
        return { ...found };
      },
    },
  ];
}

/** Chains of leads that are gone, in bites; the app's role can't delete a record, so PostgreSQL's own function does. */
export function endProof(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun, signal }) => {
    let consentRecords = 0;
    for (const siteId of siteIds) {
      for (let bite = 1; bite > 0 && !signal?.aborted; ) {
        bite = await inSites(db, siteId, async (client) => {
          const { rows } = await client.query<{ count: number }>(
            dryRun
              ? `select coalesce(sum(records), 0) as count from (
                   select r.lead_id, count(*) as records from consent_records r where r.site_id = $1
                     and not exists (select from leads l where l.site_id = $1 and l.lead_id = r.lead_id)
                   group by r.lead_id having max(r.recorded_at) < $2) chains`
              : 'select purge_consent_records($1, $2) as count',
            [siteId, bound],
          );
          return Number(rows[0]!.count);
        });
        consentRecords += bite;
        if (dryRun) break;
      }
    }
    return { rows: { consentRecords } };
  };
}

/** Of a site; some 20 MB with their indexes. Whoever floods the public route pushes out old ones, and fills no disk. */
const UNSUBSCRIBED_MAX = 100_000;

/** Addresses that unsubscribed: those of their age, and the oldest of those that are too many. */
export function endUnsubscribed(db: Pool, max = UNSUBSCRIBED_MAX): Ending {
  return async ({ siteIds, bound, dryRun }) => {
    let withdrawalRequests = 0;
    for (const siteId of siteIds)
      withdrawalRequests += await inSites(db, siteId, async (client) => {
        const going = `from withdrawal_requests where site_id = $1 and (requested_at < $2 or requested_at < (
          select requested_at from withdrawal_requests where site_id = $1 order by requested_at desc offset $3 limit 1))`;
        const { rows, rowCount } = await client.query<{ count: number }>(
          dryRun ? `select count(*)::int as count ${going}` : `delete ${going}`,
          [siteId, bound, max - 1],
        );
        return (dryRun ? rows[0]!.count : rowCount) ?? 0;
      });
    return { rows: { withdrawalRequests } };
  };
}
