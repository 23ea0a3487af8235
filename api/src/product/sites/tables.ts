// What is kept of sites.
import type { Tables } from '../../ground/tables.ts';

export const siteTables: Tables = {
  sites: {
    holds: 'a site with its settings',
    columns: {
      key: 'operator',
      name: 'operator',
      domain: 'operator',
      origins: 'operator',
      settings: 'operator',
      data_region: 'operator',
    },
    kept: { ever: 'everything else belongs to one' },
  },
};
