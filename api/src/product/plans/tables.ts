// What is kept of plans.
import type { Tables } from '../../ground/tables.ts';

export const planTables: Tables = {
  plans: {
    holds: 'what a site may use in a month and of each kind',
    columns: { plan_id: 'operator', name: 'operator' },
    kept: { ever: 'a hundred at most, made by hand' },
  },
  subscriptions: {
    holds: 'which plan a site has, and where it is paid for',
    columns: { plan_id: 'operator', billing_url: 'operator' },
    kept: { ever: 'one row a site' },
  },
  billed_subscriptions: {
    holds:
      'a subscription at Stripe that a site’s plan is paid by: its id there, the plan, and whether it runs',
    bound: '5000 a site beside its own; signed events alone make one',
    columns: { reference: 'operator', plan_id: 'operator' },
    kept: [
      { ever: 'while it runs' },
      {
        for: { days: 7 },
        since: 'heard_at',
        why: 'another site’s: the same account bills several',
        where: 'not is_ours',
        counted: 'billedElsewhere',
      },
      {
        for: { months: 'ROLLUP_RETENTION_MONTHS' },
        since: 'heard_at',
        why: 'it ended',
        where: 'is_ours and is_live is not true',
      },
    ],
  },
  plan_warnings: {
    holds: 'that a site’s month had come to 80 or 100 % of its plan, and that this was told',
    columns: { what: 'bounded' },
    kept: {
      for: { months: 'ROLLUP_RETENTION_MONTHS' },
      since: 'month',
      why: 'so that each is told once',
    },
  },
  usage_months: {
    holds: 'how many events and impressions of a month a site with a plan had',
    columns: { events: 'counted', impressions: 'counted' },
    kept: {
      for: { months: 'ROLLUP_RETENTION_MONTHS' },
      since: 'month',
      why: 'what was used, for whoever bills it',
    },
  },
};
