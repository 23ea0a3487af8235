// What is kept of what advertising cost.
import type { Tables } from '../../ground/tables.ts';

export const spendTables: Tables = {
  ad_spend: {
    holds: 'what a day of a campaign cost',
    columns: { source: 'operator', campaign: 'operator', currency: 'bounded' },
    kept: { ever: 'accounts of the site, about nobody' },
  },
};
