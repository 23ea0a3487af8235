// What a site uses of its plan, and whether one more fits: what other features ask before they make something.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { insertNews, notifyGrown } from '../outbox/outbox.ts';
import { mustFit } from './limits.ts';
import {
  countMonth,
  countUsed,
  findSubscription,
  insertWarning,
  listDueWarnings,
  markOverPlan,
  type PlanWarning,
} from './queries.ts';
import type { Counted, Used } from './schema.ts';

/** People with a role at a site, and open invitations to it; the accounts' own count (accounts/seats.ts). */
export type CountSeats = (siteId: string) => Promise<number>;

export async function usedBy(db: Pool, seats: CountSeats, siteId: string): Promise<Used> {
  const used = await inSites(db, siteId, (tx) => countUsed(tx, siteId));
  return { ...used, seats: await seats(siteId) };
}

/**
 * db      inside a transaction that sees the site
 * wanted  how many there would be then
 * throws  plan_limit_reached
 */
export async function planHasRoom(db: Db, siteId: string, what: Counted, wanted: number): Promise<void> {
  const { plan } = await findSubscription(db, siteId);
  mustFit(plan.limits, what, wanted);
}

/**
 * Counts this month of sites that have a plan, marks whose events are refused, and tells of whose month has come to 80 or 100 %.
 * returns  how many sites changed in whether events are refused, and how many warnings there were
 */
export async function countUse(
  db: Pool,
  siteIds: string[],
): Promise<{ counted: number; changed: number; warned: number }> {
  const { due, ...counts } = await inSites(db, siteIds, async (tx) => {
    const counted = await countMonth(tx);
    return { counted, changed: await markOverPlan(tx), due: await listDueWarnings(tx) };
  });
  let warned = 0;
  // a site at a time: whoever tells something of a site holds up whoever else does
  for (const [siteId, warnings] of Map.groupBy(due, (one) => one.siteId))
    warned += await inSites(db, siteId, (tx) => warn(tx, siteId, warnings));
  return { ...counts, warned };
}

async function warn(db: Db, siteId: string, warnings: PlanWarning[]): Promise<number> {
  const fresh: PlanWarning[] = [];
  for (const warning of warnings) if (await insertWarning(db, warning)) fresh.push(warning);
  let last: number | null = null;
  for (const { siteId: _, ...data } of fresh) last = await insertNews(db, siteId, 'plan.warning', data);
  if (last !== null) await notifyGrown(db, siteId, last);
  return fresh.length;
}
