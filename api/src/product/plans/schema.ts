// Shapes of plans at the door: what a site may use in a month, and how many there may be of each kind.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';

const count = z.int().min(0);
const limit = count.max(1_000_000_000_000).nullable().default(null);

/** Of a UTC month: warned of, then refused. */
export const MONTHLY = ['events', 'impressions'] as const;
/** Of which there may be so many at once. */
export const COUNTED = ['notifications', 'tests', 'webhooks', 'seats'] as const;
export type Counted = (typeof COUNTED)[number];
export type Used = Record<(typeof MONTHLY)[number] | Counted, number>;

const each = <Shape extends z.ZodType>(shape: Shape) => ({
  events: shape.describe('stored in a UTC month, robots’ too; beyond 120 % they are refused'),
  impressions: shape.describe(
    'cards that people were shown on the site’s days of the month, as counted every five minutes; none is refused',
  ),
  notifications: shape.describe('running at once, or about to by their schedule'),
  tests: shape.describe('running at once'),
  webhooks: shape,
  seats: shape.describe('people with a role at the site, and open invitations; owners are none'),
});
export const limitsShape = z.object(each(count.nullable().describe('null: none'))).meta({ id: 'PlanLimits' });
export type Limits = z.output<typeof limitsShape>;
const newLimits = z.object(each(limit)).meta({ id: 'NewPlanLimits' });

export const UNLIMITED = 'unlimited';
const name = z.string().trim().min(1).max(100);
export const planId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'small letters, digits and hyphens, such as small or shop-2');

export const planShape = z
  .object({
    planId: z.string(),
    name: z.string(),
    limits: limitsShape,
    version: z.int().describe('for If-Match'),
    createdAt: utc.nullable().describe('null: of unlimited, which is always there'),
    updatedAt: utc.nullable(),
  })
  .meta({ id: 'Plan' });
export type Plan = z.output<typeof planShape>;

export const newPlan = z
  .object({
    planId: planId.refine((id) => id !== UNLIMITED, 'is there already, and has no limits'),
    name,
    limits: newLimits,
  })
  .meta({ id: 'NewPlan' });
export const planPatch = z
  .object({
    name: name.optional(),
    limits: newLimits.optional().describe('all of them; one left out is none'),
  })
  .meta({ id: 'PlanPatch' });

export const newSubscription = z
  .object({
    plan: planId.describe('planId of one of GET /v1/plans; unlimited ends the limits'),
    billingUrl: z
      .url({ protocol: /^https$/ })
      .max(2048)
      .nullable()
      .default(null)
      .describe('where it is paid for; shown, never called'),
  })
  .meta({ id: 'NewSubscription' });

const usedShape = z.object(each(count)).meta({ id: 'PlanUsage' });
export const subscriptionShape = z
  .object({
    plan: planShape.pick({ planId: true, name: true, limits: true }),
    status: z
      .enum(['active', 'near', 'reached', 'stopped'])
      .describe(
        'of events or impressions: under 80 % of the plan, from there, from 100 %, events are refused',
      ),
    period: z.object({ from: z.iso.date(), to: z.iso.date() }).describe('UTC days, both in it'),
    usage: usedShape,
    months: z
      .array(z.object({ month: z.iso.date(), events: count, impressions: count }))
      .describe('the months before of which it was counted, newest first, at most 24'),
    billingUrl: z.string().nullable(),
    since: utc.nullable().describe('null: nobody gave the site a plan'),
  })
  .meta({ id: 'Subscription' });
export type Subscription = z.output<typeof subscriptionShape>;
