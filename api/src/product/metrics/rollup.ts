// Keeps the rollups right: visits that changed all the time, a whole day when something says that it changed, a range by hand.
import { codeOf, isDatabaseAway, SQLSTATE } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { eachDay } from '../../ground/lib/days.ts';
import { noteRecount } from '../notes/machine.ts';
import {
  compareDay,
  compareLeads,
  findComparable,
  findDue,
  findImbalances,
  findRollupStatus,
  findSitesOfDirtyLeads,
  findSitesOfDirtyVisits,
  findSitesOfLeads,
  findToday,
  hasChanged,
  type LedgerDay,
  markDay,
  type RollupStatus,
  refreshLeadFacts,
  refreshVisits,
  rollUpDay,
  rollUpDueDay,
  type SiteDay,
} from './queries.ts';

export interface RollupOptions {
  /** Both or none: a range of days, both included; none: what is due. */
  from?: string | undefined;
  to?: string | undefined;
  siteIds: string[];
  /** Whether visits that go on may wait for the next minute, where many changed; default: all are counted. */
  patient?: boolean | undefined;
  signal?: AbortSignal | undefined;
  progress?: ((line: string) => void) | undefined;
}

// Row level security compares each row with each of the sites that are named, so more at once is slower, not quicker.
const SITES_AT_ONCE = 500;

async function ofSites<T>(db: Pool, siteIds: string[], find: (client: Db) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (let n = 0; n < siteIds.length; n += SITES_AT_ONCE)
    found.push(...(await inSites(db, siteIds.slice(n, n + SITES_AT_ONCE), find)));
  return found;
}

export interface RolledUp {
  days: number;
  sealed: number;
  /** Days that were asked for and have not come yet: counting them would pass for having counted all before. */
  toCome?: number;
}

/** The days asked for, up to the site's today. */
async function daysAsked(db: Pool, siteIds: string[], from: string, to: string) {
  const today = new Map((await ofSites(db, siteIds, findToday)).map(({ siteId, day }) => [siteId, day]));
  const all = siteIds.flatMap((siteId) => eachDay(from, to).map((day) => ({ siteId, day })));
  const days = all.filter(({ siteId, day }) => day <= today.get(siteId)!);
  return { days, toCome: all.length - days.length };
}

/** What fails for one site is told at the end: the others go on, since strangers may have made it fail. */
function eachForItself() {
  const failed: { siteId: string; error: unknown }[] = [];
  return {
    async of(siteId: string, work: () => Promise<void>): Promise<void> {
      try {
        await work();
      } catch (error) {
        if (isDatabaseAway(error) && codeOf(error) !== SQLSTATE.limitExceeded) throw error;
        failed.push({ siteId, error });
      }
    },
    /** throws  an Error that names the sites, when there are any */
    end(): void {
      const [first] = failed;
      if (!first) return;
      const sites = [...new Set(failed.map(({ siteId }) => siteId))];
      throw new Error(
        `${sites.length} sites failed, the others were done: ${sites.slice(0, 10).join(', ')}`,
        {
          cause: first.error,
        },
      );
    },
  };
}

/**
 * Rolls up what is due, or a range: a day of a site is one transaction. Then brings the facts of changed leads up to date.
 * returns  how many site days were rolled up, how many were left because they are sealed, or still to come
 * throws   when a site failed, after all the others were done
 */
export async function rollUp(
  db: Pool,
  { from, to, siteIds, patient, signal, progress }: RollupOptions,
): Promise<RolledUp> {
  const asked = from && to ? await daysAsked(db, siteIds, from, to) : null;
  const each = eachForItself();
  const refreshed = asked ? 0 : await countChangedVisits(db, siteIds, patient, each, signal);
  const bySite = Map.groupBy(asked?.days ?? (await ofSites(db, siteIds, findDue)), (due) => due.siteId);
  const rolled: RolledUp = {
    days: refreshed,
    sealed: 0,
    ...(asked && asked.toCome > 0 ? { toCome: asked.toCome } : {}),
  };
  if (rolled.toCome) progress?.(`${rolled.toCome} site days have not come yet and are left out`);
  for (const [siteId, days] of bySite) {
    if (signal?.aborted) break;
    await each.of(siteId, async () => {
      for (const [i, { day }] of days.entries()) {
        if (signal?.aborted) return;
        const outcome = await inSites(db, siteId, (client) =>
          asked ? rollUpDay(client, siteId, day) : rollUpDueDay(client, siteId, day),
        );
        if (outcome === 'sealed') rolled.sealed += 1;
        else rolled.days += 1;
        if ((from || days.length > 2) && (i % 10 === 9 || i === days.length - 1))
          progress?.(`site ${siteId}: ${i + 1} of ${days.length} days, through ${day}`);
      }
      await refreshLeads(db, siteId, signal);
      if (asked && days.length > 0 && !signal?.aborted)
        await inSites(db, siteId, (client) => noteRecount(client, siteId, days[0]!.day, days.at(-1)!.day));
    });
  }
  // after the days: a browser's signup is a conversion only once its day is rolled up
  for (const siteId of await ofSites(db, siteIds, findSitesOfDirtyLeads))
    await each.of(siteId, () => refreshLeads(db, siteId, signal));
  each.end();
  return rolled;
}

async function countChangedVisits(
  db: Pool,
  siteIds: string[],
  patient: boolean | undefined,
  each: ReturnType<typeof eachForItself>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let days = 0;
  for (const siteId of await ofSites(db, siteIds, findSitesOfDirtyVisits)) {
    if (signal?.aborted) break;
    await each.of(siteId, async () => {
      days += await inSites(db, siteId, (client) => refreshVisits(client, siteId, patient));
    });
  }
  return days;
}

async function refreshLeads(db: Pool, siteId: string, signal: AbortSignal | undefined): Promise<void> {
  while (!signal?.aborted && (await inSites(db, siteId, (client) => refreshLeadFacts(client, siteId))));
}

export interface Difference extends SiteDay {
  number: string;
  raw: number;
  rollup: number;
}

export interface Compared {
  daysCompared: number;
  differences: Difference[];
  /** Whose kept facts were not what their sources say. */
  leadsDiffering: number;
}

/**
 * Compares everything derived with the raw rows, for the days that have both, and marks what differs, so that the next
 * rollup cures it.
 */
export async function findDiscrepancies(
  db: Pool,
  {
    from,
    to,
    siteIds,
    signal,
  }: Required<Pick<RollupOptions, 'from' | 'to' | 'siteIds'>> & Pick<RollupOptions, 'signal'>,
): Promise<Compared> {
  const found: Compared = { daysCompared: 0, differences: [], leadsDiffering: 0 };
  if (!from || !to || from > to) return found;
  for (const { siteId, day } of await ofSites(db, siteIds, (client) => findComparable(client, from, to))) {
    if (signal?.aborted) return found;
    const numbers = await inSites(db, siteId, async (client) => {
      await refreshVisits(client, siteId);
      const apart = await compareDay(client, siteId, day);
      // what arrived meanwhile is no mistake
      if (apart.length === 0 || (await hasChanged(client, siteId, day))) return [];
      await markDay(client, siteId, day);
      await noteRecount(client, siteId, day, day);
      return apart;
    });
    found.daysCompared += 1;
    found.differences.push(...numbers.map((number) => ({ siteId, day, ...number })));
  }
  for (const siteId of await ofSites(db, siteIds, findSitesOfLeads))
    found.leadsDiffering += await leadsApart(db, siteId, signal);
  return found;
}

async function leadsApart(db: Pool, siteId: string, signal: AbortSignal | undefined): Promise<number> {
  let differing = 0;
  let after: string | null = null;
  while (!signal?.aborted) {
    const bite = await inSites(db, siteId, (client) => compareLeads(client, siteId, after));
    differing += bite.differing;
    after = bite.last;
    if (after === null) return differing;
  }
  return differing;
}

/** received = accepted + duplicate + rejected, for every site and day, today included: each write counts in one commit. */
export async function checkLedger(
  db: Pool,
  { from, to, siteIds }: { from: string; to: string; siteIds: string[] },
): Promise<{ days: number; unbalanced: LedgerDay[] }> {
  return inSites(db, siteIds, (client) => findImbalances(client, from, to));
}

/** For the status page and its alarms. */
export async function rollupStatus(db: Pool, siteIds: string[]): Promise<RollupStatus> {
  return inSites(db, siteIds, findRollupStatus);
}
