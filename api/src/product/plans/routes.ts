// Plans and who has which: /v1/plans, /v1/sites/{siteId}/subscription. A site's own admin sees its own; an
// owner makes and gives them, or a site would choose its own limits.
import { z } from 'zod';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites, transaction } from '../../ground/db/transaction.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import type { Sites } from '../sites/recognise.ts';
import { overflowOf, statusOf } from './limits.ts';
import {
  findPlan,
  findSubscription,
  insertPlan,
  listMonths,
  listPlans,
  setSubscription,
  sitesOfPlan,
  unlimited,
  updatePlan,
} from './queries.ts';
import {
  type Limits,
  newPlan,
  newSubscription,
  planPatch,
  planShape,
  type Subscription,
  subscriptionShape,
} from './schema.ts';
import { type CountSeats, countUse, usedBy } from './use.ts';

export interface PlanNeeds {
  db: Pool;
  sites: Pick<Sites, 'ids' | 'find' | 'reload'>;
  seats: CountSeats;
}

const BODY_BYTES_MAX = 8 * 1024;

const noSuchPlan = () =>
  new AppError('not_found', 'There is no plan with this id. Compare it with GET /v1/plans.');

const tooSmall = (issues: Issue[]) =>
  new AppError(
    'conflict',
    'More is in use than this plan allows. End what issues names, or take a larger plan.',
    {
      issues,
    },
  );

/** The running UTC month, first and last day. */
function periodOf(now: Date): Subscription['period'] {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  const dayOf = (moment: number) => new Date(moment).toISOString().slice(0, 10);
  return { from: dayOf(Date.UTC(year, month, 1)), to: dayOf(Date.UTC(year, month + 1, 0)) };
}

export const planRoutes = (needs: PlanNeeds): Route[] => [...ofPlans(needs), ...ofSite(needs)];

function ofPlans({ db, sites, seats }: PlanNeeds): Route[] {
  const common = { tag: 'plans', who: 'plans' } as const;
  const one = z.object({ plan: planShape });

  /** throws  conflict, naming the sites that use more */
  async function mustFitAll(planId: string, limits: Limits): Promise<void> {
    const having = await inSites(db, sites.ids(), (tx) => sitesOfPlan(tx, planId));
    const issues: Issue[] = [];
    for (const siteId of having) {
      const key = sites.find(siteId)?.key ?? siteId;
      const over = overflowOf(limits, await usedBy(db, seats, siteId));
      issues.push(...over.map(({ path, message }) => ({ path, message: `${key}: ${message}` })));
      if (issues.length >= 50) break;
    }
    if (issues.length > 0) throw tooSmall(issues.slice(0, 50));
  }

  return [
    route({
      ...common,
      at: 'POST /v1/plans',
      id: 'createPlan',
      says: 'Makes a plan, of at most 100; a limit that is left out is none',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newPlan },
      answers: { 201: one },
      async run(wanted, call) {
        if ((await listPlans(db, null)).length >= 100)
          throw new AppError('conflict', 'There are 100 plans already. Change one of them instead.');
        const plan = await insertPlan(db, wanted).catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          const issues = [{ path: 'planId', message: 'is taken' }];
          throw new AppError('conflict', 'Another plan has this id.', { issues });
        });
        call.note({ target: null, details: { plan: plan.planId } });
        return created({ plan });
      },
    }),
    route({
      ...common,
      at: 'GET /v1/plans',
      id: 'getPlans',
      says: 'Plans that sites can have; of somebody of some sites, those that these have',
      of: 'all',
      shows: 'no people',
      answers: { 200: z.object({ plans: z.array(planShape) }) },
      async run(_input, { caller, siteIds }) {
        const seen = caller.siteIds === 'all' ? null : siteIds;
        return { plans: [unlimited, ...(await inSites(db, siteIds, (tx) => listPlans(tx, seen)))] };
      },
    }),
    route({
      ...common,
      at: 'PATCH /v1/plans/:plan',
      id: 'updatePlan',
      says: 'Changes a plan for all sites that have it; needs If-Match with its version; 409 with a list, when one of them uses more',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: planPatch },
      answers: { 200: one },
      async run(patch, call) {
        const planId = call.params.plan!;
        call.note({ details: { plan: planId, changes: Object.keys(patch) } });
        if (planId === unlimited.planId)
          throw new AppError('conflict', 'unlimited is what sites have without a plan, and stays as it is.');
        const known = async (from: Db, lock = false) => {
          const found = await findPlan(from, planId, lock);
          if (!found) throw noSuchPlan();
          checkVersion(call, found.version);
          return found;
        };
        await known(db);
        if (patch.limits) await mustFitAll(planId, patch.limits);
        const plan = await transaction(db, async (tx) => {
          const before = await known(tx, true);
          const { name = before.name, limits = before.limits } = patch;
          return updatePlan(tx, { planId, name, limits });
        });
        await countUse(db, sites.ids());
        await sites.reload();
        return { plan };
      },
    }),
  ];
}

function ofSite({ db, sites, seats }: PlanNeeds): Route[] {
  const common = { tag: 'plans', of: 'path' } as const;
  const one = z.object({ subscription: subscriptionShape });

  async function shown(siteId: string, now: Date): Promise<Subscription> {
    const [{ plan, billingUrl, since }, months] = await inSites(db, siteId, async (tx) => [
      await findSubscription(tx, siteId),
      await listMonths(tx, siteId),
    ]);
    const { planId, name, limits } = plan;
    const usage = await usedBy(db, seats, siteId);
    return {
      plan: { planId, name, limits },
      status: statusOf(limits, usage),
      period: periodOf(now),
      usage,
      months,
      billingUrl,
      since,
    };
  }

  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/subscription',
      id: 'getSubscription',
      who: 'settings',
      says: 'Which plan a site has, and what it used of it this UTC month',
      shows: 'no people',
      answers: { 200: one },
      run: async (_input, call) => ({ subscription: await shown(call.site.siteId, call.receivedAt) }),
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/subscription',
      id: 'updateSubscription',
      who: 'plans',
      says: 'Gives a site a plan; 409 with a list, when more is in use than it allows',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newSubscription },
      answers: { 200: one },
      async run({ plan: planId, billingUrl }, call) {
        const { siteId } = call.site;
        call.note({ details: { plan: planId } });
        const plan = await findPlan(db, planId);
        if (!plan) throw noSuchPlan();
        const over = overflowOf(plan.limits, await usedBy(db, seats, siteId));
        if (over.length > 0) throw tooSmall(over);
        await inSites(db, siteId, (tx) => setSubscription(tx, siteId, planId, billingUrl));
        await countUse(db, [siteId]);
        await sites.reload();
        return { subscription: await shown(siteId, call.receivedAt) };
      },
    }),
  ];
}
