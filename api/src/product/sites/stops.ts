// What is not taken for a site: nothing new, where its data has to be elsewhere; no event, where its plan is used up. Known
// with the sites themselves, so that an event asks a map. Leads, consent and whoever wants to leave are stopped by no plan.
import { AppError } from '../../ground/lib/app-error.ts';
import type { ListedSite } from './queries.ts';
import type { Sites } from './recognise.ts';

export type Stop = 'region' | 'plan';

/** region  where this installation is; undefined: nobody said, and nothing is asked of the sites */
export function stopsOf(listed: readonly ListedSite[], region: string | undefined): Map<string, Stop> {
  const stops = new Map<string, Stop>();
  for (const { site, isOverPlan } of listed) {
    const isElsewhere = region !== undefined && site.dataRegion !== null && site.dataRegion !== region;
    if (isElsewhere) stops.set(site.siteId, 'region');
    else if (isOverPlan) stops.set(site.siteId, 'plan');
  }
  return stops;
}

type Stopped = Pick<Sites, 'stopOf'>;

/** throws  unavailable, until the site is where it has to be, or its owner says that it may be here */
export function mustBeHere(sites: Stopped, siteId: string): void {
  if (sites.stopOf(siteId) === 'region') throw isElsewhere();
}

/** throws  unavailable, plan_limit_reached */
export function mustTakeEvents(sites: Stopped, siteId: string): void {
  const stop = sites.stopOf(siteId);
  if (stop === undefined) return;
  throw stop === 'region' ? isElsewhere() : isOverPlan();
}

const isElsewhere = () =>
  new AppError(
    'unavailable',
    'The data of this site has to be in another region than this installation is in. Keep it and send it again; the operator compares DATA_REGION with the site’s dataRegion.',
    { retryAfterSeconds: 300, reason: 'region_mismatch' },
  );

const isOverPlan = () =>
  new AppError(
    'plan_limit_reached',
    'The plan of this site has no room for more events this month. Its owner changes it by POST /v1/sites/{siteId}/subscription.',
    { reason: 'plan_limit' },
  );
