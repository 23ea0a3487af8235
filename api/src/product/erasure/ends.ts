// Ends leads whose time is over: forgotten as if they had asked, but for what the numbers count of them, which names nobody.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import type { Tables } from '../../ground/tables.ts';
import type { Forget } from './forget.ts';

/** As lead_end.sql says them. */
export const CAUSES = ['lapsed', 'unconfirmed', 'pending', 'withdrawn'] as const;
type Cause = (typeof CAUSES)[number];

const LEADS_A_NIGHT = 5000; // of a site and cause; the rest waits for the next night
const STATUSES: Record<Cause, string[]> = {
  lapsed: ['implied', 'expired'],
  unconfirmed: ['pending'],
  pending: ['pending'],
  withdrawn: ['withdrawn'],
};

interface Ends {
  db: Pool;
  /** Of all features. */
  tables: Tables;
  hashAddress: (siteId: string, normalized: string) => string;
  forget: Forget;
}

/** By name, for the rules of leads/tables.ts. */
export const leadEndings = (ends: Ends): Record<string, Ending> =>
  Object.fromEntries(CAUSES.map((cause) => [`${cause} leads`, endLeads(ends, cause)]));

/** The dry run counts by the same statements; what it counts is what goes. */
function endLeads({ db, tables, hashAddress, forget }: Ends, cause: Cause): Ending {
  const going = goingWith(tables);
  return async ({ siteIds, bound, dryRun, signal, stays }) => {
    const rows: Record<string, number> = { [`${cause}Leads`]: 0 };
    for (const siteId of siteIds) {
      const ending = (await whoseTimeIsOver(db, siteId, cause, bound)).map((lead) => ({
        ...lead,
        emailHash: hashAddress(siteId, lead.email),
      }));
      const leads = await withoutOpenRequest(db, siteId, ending);
      const counted = await inSites(db, siteId, (client) => countRows(client, going, stays, siteId, leads));
      for (const [table, more] of Object.entries(counted)) rows[table] = (rows[table] ?? 0) + more;
      rows[`${cause}Leads`]! += leads.length;
      if (dryRun) continue;
      for (const { email, emailHash } of leads) {
        if (signal?.aborted) break;
        await forget({ siteId, emailNormalized: email, emailHash, isOver: true });
      }
    }
    return { rows };
  };
}

async function whoseTimeIsOver(
  db: Pool,
  siteId: string,
  cause: Cause,
  bound: Date,
): Promise<{ leadId: string; email: string }[]> {
  const { rows } = await inSites(db, siteId, (client) =>
    client.query<{ leadId: string; email: string }>(
      // what is cheap to look at first
      `select l.lead_id as "leadId", l.email_normalized as email from leads l cross join lateral lead_end(l) e
       where l.site_id = $1 and l.consent_status = any ($2) and l.last_submitted_at < $3
         and e.because = $4 and e.since < $3 order by l.lead_id limit ${LEADS_A_NIGHT}`,
      [siteId, STATUSES[cause], bound, cause],
    ),
  );
  return rows;
}

/** Who waits for an answer about their data finds it as it was when they asked. */
async function withoutOpenRequest<Lead extends { emailHash: string }>(
  db: Pool,
  siteId: string,
  leads: Lead[],
): Promise<Lead[]> {
  const { rows } = await inSites(db, siteId, (client) =>
    client.query<{ hash: string }>(
      `select '\\x' || encode(email_hash, 'hex') as hash from people_requests
       where site_id = $1 and done_at is null and email_hash = any ($2::bytea[])`,
      [siteId, leads.map(({ emailHash }) => emailHash)],
    ),
  );
  const waiting = new Set(rows.map(({ hash }) => hash));
  return leads.filter(({ emailHash }) => !waiting.has(emailHash));
}

interface GoingWith {
  table: string;
  /** SQL, of a row called target: whether it goes with its lead. */
  where: string;
}

/** Of the leads themselves their cause is counted. What outlives a lead may be less than all of its rows. */
const goingWith = (tables: Tables): GoingWith[] =>
  Object.entries(tables).flatMap(([table, { whose, outlives }]) =>
    table === 'leads' || whose !== 'lead' || (outlives && !outlives.where)
      ? []
      : [
          {
            table,
            where: outlives
              ? `(${outlives.where!.replaceAll('$2', 't.lead_id').replace(/\bt\./g, 'target.')}) is not true`
              : 'true',
          },
        ],
  );

/** Rows that go with these leads, by table, but for those whose own time is over. */
async function countRows(
  client: Db,
  going: GoingWith[],
  stays: (table: string) => string,
  siteId: string,
  leads: { leadId: string }[],
): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const { table, where } of going) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from ${table} target where site_id = $1 and lead_id = any ($2::uuid[]) and ${where} and ${stays(table)}`,
      [siteId, leads.map(({ leadId }) => leadId)],
    );
    if (rows[0]!.count > 0) counted[table] = rows[0]!.count;
  }
  return counted;
}
