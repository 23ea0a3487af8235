// Plans that are paid for at Stripe: what its signed events say of a subscription, and the plan that a site gets by it.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { noteOfJob } from '../../ground/noted.ts';
import { overflowOf } from './limits.ts';
import { findPlan, findSubscription, setSubscription } from './queries.ts';
import { type CountSeats, usedBy } from './use.ts';

/** What one event says; what it does not say stays as it was. */
export interface Billed {
  /** The subscription's id at Stripe. */
  reference: string;
  /** It names this site. */
  isOurs: boolean;
  /** The plan that is paid for, or that follows its end; absent: the event tells nothing of it. */
  plan?: { planId: string; isLive: boolean };
  /** When it was made, RFC 3339. */
  at: string;
}

/** Of a site at once; an account that bills more than this tells each endpoint of all. */
const REFERENCES_MAX = 5000;

/** Writes down what an event says. Inside a transaction of inSites; safe to do twice and in any order. */
export async function noteBilled(
  db: Db,
  siteId: string,
  { reference, isOurs, plan, at }: Billed,
): Promise<void> {
  await db.query(
    `insert into billed_subscriptions as b (site_id, reference, is_ours, plan_id, is_live, told_at)
     select $1, $2, $3, $4, $5, case when $4::text is not null then $6::timestamptz end
     where $3 or (select count(*) from billed_subscriptions where site_id = $1) < ${REFERENCES_MAX}
     on conflict (site_id, reference) do update set is_ours = b.is_ours or excluded.is_ours, heard_at = now(),
       plan_id = case when excluded.told_at >= coalesce(b.told_at, '-infinity') then excluded.plan_id else b.plan_id end,
       is_live = case when excluded.told_at >= coalesce(b.told_at, '-infinity') then excluded.is_live else b.is_live end,
       told_at = greatest(b.told_at, excluded.told_at),
       settled_at = case when excluded.told_at >= coalesce(b.told_at, '-infinity')
         and (excluded.plan_id, excluded.is_live) is distinct from (b.plan_id, b.is_live) or excluded.is_ours and not b.is_ours then null else b.settled_at end`,
    [siteId, reference, isOurs, plan?.planId ?? null, plan?.isLive ?? null, at],
  );
}

/** The site's newest that runs, else its newest that ended; null when every one was settled. */
const WANTED = `select plan_id as "planId" from billed_subscriptions
  where site_id = $1 and is_ours and plan_id is not null
    and exists (select from billed_subscriptions u where u.site_id = $1 and u.is_ours and u.plan_id is not null and u.settled_at is null)
  order by is_live desc, told_at desc, reference limit 1`;

/**
 * Gives these sites the plans that are paid for, once for each change: one that was given by hand since stays. A plan smaller than
 * what is in use waits until it fits, and rings.
 * returns  how many sites got another plan, and how many wait
 */
export async function settleBilled(
  db: Pool,
  seats: CountSeats,
  siteIds: string[],
): Promise<{ given: number; waiting: number }> {
  const due = await inSites(db, siteIds, async (tx) => {
    const { rows } = await tx.query<{ siteId: string }>(
      `select distinct site_id as "siteId" from billed_subscriptions
       where site_id = any (current_sites()) and is_ours and plan_id is not null and settled_at is null order by 1`,
    );
    return rows.map(({ siteId }) => siteId);
  });
  const done = { given: 0, waiting: 0 };
  for (const siteId of due) {
    const used = await usedBy(db, seats, siteId);
    const outcome = await inSites(db, siteId, async (tx) => {
      // one at a time, and none while an event is written down
      await tx.query('select from billed_subscriptions where site_id = $1 order by reference for update', [
        siteId,
      ]);
      const [wanted] = (await tx.query<{ planId: string }>(WANTED, [siteId])).rows;
      if (!wanted) return 'settled';
      const plan = await findPlan(tx, wanted.planId);
      if (!plan || overflowOf(plan.limits, used).length > 0) return 'waiting';
      const now = await findSubscription(tx, siteId);
      await tx.query(
        'update billed_subscriptions set settled_at = now() where site_id = $1 and is_ours and plan_id is not null',
        [siteId],
      );
      if (now.plan.planId === plan.planId) return 'settled';
      await setSubscription(tx, siteId, plan.planId, now.billingUrl);
      await noteOfJob(tx, siteId, 'billed_plans', siteId, { plan: plan.planId, before: now.plan.planId });
      return 'given';
    });
    if (outcome !== 'settled') done[outcome] += 1;
  }
  return done;
}
