// Tenants: keys, origins, settings; which site a request is for, and where its data has to be.
import type { Config } from '../../config.ts';
import type { Feature } from '../../ground/feature.ts';
import { siteReadings } from './readings.ts';
import { type SiteNeeds, siteRoutes } from './routes.ts';
import { siteTables } from './tables.ts';

type Settings = Pick<
  Config,
  'DATA_REGION' | 'BACKUP_S3_URL' | 'BACKUP_S3_DATA_REGION' | 'BACKUP_SSH_URL' | 'BACKUP_SSH_DATA_REGION'
>;

export const sites: Feature<
  Omit<SiteNeeds, 'mail' | 'region'> & { leads: Pick<SiteNeeds, 'mail'>; config: Settings }
> = {
  name: 'sites',
  functions: [new URL('site_days.sql', import.meta.url)],
  tables: siteTables,
  readings: siteReadings,
  routes: ({ db, sites: known, leads: { mail }, config }) =>
    siteRoutes({ db, sites: known, mail, region: config.DATA_REGION }),
};
