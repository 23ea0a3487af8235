// What a plan allows: how far its use has come, what does not fit, and the refusal of one more.
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import { COUNTED, type Counted, type Limits, MONTHLY, type Subscription, type Used } from './schema.ts';

const NEAR = 0.8;
/** Beyond its limit by a fifth events are refused: nobody's count ends in the middle of a good day. */
export const STOPPED = 1.2;

/** Of the monthly ones, the one that has come furthest. */
export function statusOf(limits: Limits, used: Used): Subscription['status'] {
  const furthest = Math.max(
    0,
    ...MONTHLY.map((name) => {
      const limit = limits[name];
      return limit === null ? 0 : limit === 0 ? Number(used[name] > 0) * 2 : used[name] / limit;
    }),
  );
  const events = limits.events;
  if (events !== null && used.events > events * STOPPED) return 'stopped';
  return furthest >= 1 ? 'reached' : furthest >= NEAR ? 'near' : 'active';
}

/** What of the use is more than a plan allows, as faults of `at`. */
export const overflowOf = (limits: Limits, used: Used, at = 'limits'): Issue[] =>
  [...MONTHLY, ...COUNTED].flatMap((name) => {
    const limit = limits[name];
    return limit !== null && used[name] > limit
      ? [{ path: `${at}.${name}`, message: `${used[name]} in use, ${limit} in the plan` }]
      : [];
  });

/** throws  plan_limit_reached, when this many are more than the plan allows */
export function mustFit(limits: Limits, what: Counted, wanted: number): void {
  const limit = limits[what];
  if (limit === null || wanted <= limit) return;
  throw new AppError(
    'plan_limit_reached',
    `The plan of this site allows ${limit} ${what}. End one, or have an owner give the site a larger plan.`,
    { issues: [{ path: what, message: `${limit} in the plan` }] },
  );
}
