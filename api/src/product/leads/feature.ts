// People who left an address: listed, searched, carried in and out.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { type RequestNeeds, requestRoutes } from './request-routes.ts';
import { type LeadNeeds, leadRoutes } from './routes.ts';
import { leadTables } from './tables.ts';

interface House {
  config: { PUBLIC_URL?: string | undefined };
  db: Pool;
  sites: LeadNeeds['sites'];
  customFields: LeadNeeds['customFields'];
  leads: Pick<LeadNeeds, 'hashAddress'> &
    Pick<RequestNeeds, 'withdraw'> & { settings: Pick<RequestNeeds, 'senderDefaults'> };
}

export const leads: Feature<House> = {
  name: 'leads',
  tables: leadTables,
  routes: ({ config, db, sites, customFields, leads: { hashAddress, withdraw, settings } }) => [
    ...leadRoutes({ db, sites, customFields, hashAddress, publicUrl: config.PUBLIC_URL }),
    ...requestRoutes({ db, withdraw, hashAddress, sites, senderDefaults: settings.senderDefaults }),
  ],
};
