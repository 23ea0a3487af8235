// Keeps the rollups right: today all the time, an older day when something says that it changed, a range by hand.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { dayOf, daysIn, eachDay } from '../../ground/lib/days.ts';
import {
  compareDay,
  dueDays,
  findImbalances,
  findRollupStatus,
  type LedgerDay,
  refreshLeadFacts,
  rollUpDay,
} from './queries.ts';

export interface RollupOptions {
  /** Both or none: a range of days, both included; none: what is due. */
  from?: string | undefined;
  to?: string | undefined;
  siteIds: string[];
  signal?: AbortSignal | undefined;
  progress?: ((line: string) => void) | undefined;
}

/**
 * Rolls up what is due, or a range: a day of a site is one transaction. Then brings the facts of changed leads up to date.
 * returns  how many site days were rolled up, how many were left because they are sealed
 */
export async function rollUp(
  db: Pool,
  { from, to, siteIds, signal, progress }: RollupOptions,
): Promise<{ days: number; sealed: number }> {
  let days = 0;
  let sealed = 0;
  for (const siteId of siteIds) {
    const wanted =
      from && to
        ? eachDay(from, to)
        : await inSites(db, siteId, (client) => dueDays(client, siteId, dayOf(Date.now())));
    for (const [i, day] of wanted.entries()) {
      if (signal?.aborted) return { days, sealed };
      const outcome = await inSites(db, siteId, (client) => rollUpDay(client, siteId, day));
      if (outcome === 'sealed') sealed += 1;
      else days += 1;
      if ((from || wanted.length > 2) && (i % 10 === 9 || i === wanted.length - 1))
        progress?.(`site ${siteId}: ${i + 1} of ${wanted.length} days, through ${day}`);
    }
    // after the days: a browser's signup is a conversion only once its day is rolled up
    while (!signal?.aborted && (await inSites(db, siteId, (client) => refreshLeadFacts(client, siteId))));
  }
  return { days, sealed };
}

export interface Difference {
  siteId: string;
  day: string;
  number: string;
  raw: number;
  rollup: number;
}

/**
 * Compares raw rows with their rollup, for the days that have both and are not being written to (before today, not
 * sealed), by plain counting that shares no statement with the rollup.
 */
export async function findDiscrepancies(
  db: Pool,
  {
    from,
    to,
    siteIds,
    signal,
  }: { from: string; to: string; siteIds: string[]; signal?: AbortSignal | undefined },
): Promise<{ daysCompared: number; differences: Difference[] }> {
  const differences: Difference[] = [];
  let daysCompared = 0;
  if (daysIn(from, to) < 1) return { daysCompared, differences };
  for (const siteId of siteIds)
    for (const day of eachDay(from, to)) {
      if (signal?.aborted) break;
      const numbers = await inSites(db, siteId, (client) => compareDay(client, siteId, day));
      if (!numbers) continue;
      daysCompared += 1;
      for (const { number, raw, rollup } of numbers)
        if (raw !== rollup) differences.push({ siteId, day, number, raw, rollup });
    }
  return { daysCompared, differences };
}

/** received = accepted + duplicate + rejected, for every site and day, today included: each write counts in one commit. */
export async function checkLedger(
  db: Pool,
  { from, to, siteIds }: { from: string; to: string; siteIds: string[] },
): Promise<{ days: number; unbalanced: LedgerDay[] }> {
  return inSites(db, siteIds, (client) => findImbalances(client, from, to));
}

/** For the status page and its alarms. */
export async function rollupStatus(
  db: Pool,
  siteIds: string[],
): Promise<{
  rolledUpThrough: string | null;
  lagDays: number | null;
  discrepancies: number | null;
  imbalances: number | null;
}> {
  const status = await inSites(db, siteIds, findRollupStatus);
  const lagDays = status.rolledUpThrough ? daysIn(status.rolledUpThrough, dayOf(Date.now())) - 1 : null;
  return { ...status, lagDays };
}
