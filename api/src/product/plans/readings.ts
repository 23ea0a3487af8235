// What plans tell about themselves: sites that come near to what theirs allows, in time to do something.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { reading, warning } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { numbersOfPlans, type PlanNumbers } from './queries.ts';

interface House {
  db: Pool;
  sites: Pick<Sites, 'ids'>;
}

const count = z.int().min(0);
const shape = z
  .object({
    sites: count.describe('that have a plan'),
    near: count.describe('from 80 % of its events or impressions'),
    reached: count.describe('from 100 %'),
    stopped: count.describe('over 120 %: their events are refused'),
    waiting: count.describe('a plan is paid for at Stripe and was not given for ten minutes'),
  })
  .describe('as counted in the last five minutes, of this UTC month');

const LOOK = 'GET /v1/sites/{siteId}/subscription shows what is used; POST there gives a larger plan';

export const planReadings = [
  reading<House, PlanNumbers>({
    name: 'plans',
    shape,
    read: ({ db, sites }) => inSites(db, sites.ids(), numbersOfPlans),
    line: ({ sites, near, reached, stopped, waiting }) =>
      sites + waiting === 0
        ? null
        : `${sites} sites with a plan${near + reached ? `, ${near + reached} near or over its limit` : ''}${stopped ? `, ${stopped} REFUSE EVENTS` : ''}${waiting ? `, ${waiting} WAIT FOR THE PLAN THEY PAY FOR` : ''}`,
    rules: [
      {
        id: 'plan_paid_not_given',
        minutes: 1,
        when: 'a plan is paid for at Stripe, and the site uses more than it allows, or there is no such plan',
        check: ({ waiting }) =>
          waiting > 0
            ? warning(
                `${waiting} sites pay for a plan that they do not have: they use more than it allows, or no plan has the id that their price stands for. POST /v1/sites/{siteId}/subscription with that plan says what is too much; it is given by itself once it fits.`,
              )
            : null,
      },
      {
        id: 'plan_near',
        minutes: 1,
        when: 'a site has had 80 % of the events or impressions that its plan allows in a month',
        check: ({ near }) =>
          near > 0
            ? warning(`${near} sites have used 80 % of the events or impressions of their plan. ${LOOK}`)
            : null,
      },
      {
        id: 'plan_reached',
        minutes: 1,
        when: 'a site has had all events or impressions that its plan allows in a month',
        check: ({ reached, stopped }) =>
          reached + stopped > 0
            ? warning(
                `${reached + stopped} sites have used all events or impressions of their plan, and of ${stopped} events are refused (over 120 %; leads are not). ${LOOK}`,
              )
            : null,
      },
    ],
  }),
];
