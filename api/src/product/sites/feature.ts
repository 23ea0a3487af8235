// Tenants: keys, origins, settings; which site a request is for.
import type { Feature } from '../../ground/feature.ts';
import { type SiteNeeds, siteRoutes } from './routes.ts';
import { siteTables } from './tables.ts';

export const sites: Feature<Omit<SiteNeeds, 'mail'> & { leads: Pick<SiteNeeds, 'mail'> }> = {
  name: 'sites',
  functions: [new URL('site_days.sql', import.meta.url)],
  tables: siteTables,
  routes: ({ db, sites: known, leads: { mail } }) => siteRoutes({ db, sites: known, mail }),
};
