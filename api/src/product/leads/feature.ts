// People who left an address: listed, searched, carried in and out.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { type LeadNeeds, leadRoutes } from './routes.ts';
import { leadTables } from './tables.ts';

interface House {
  config: { PUBLIC_URL?: string | undefined };
  db: Pool;
  leads: Pick<LeadNeeds, 'hashAddress'>;
}

export const leads: Feature<House> = {
  name: 'leads',
  tables: leadTables,
  routes: ({ config, db, leads: { hashAddress } }) =>
    leadRoutes({ db, hashAddress, publicUrl: config.PUBLIC_URL }),
};
