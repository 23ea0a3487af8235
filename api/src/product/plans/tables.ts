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
