// The register of what people asked about their own data.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { requestReadings } from './readings.ts';
import { type RequestNeeds, requestRoutes } from './routes.ts';
import { requestTables } from './tables.ts';

interface House {
  db: Pool;
  sites: Sites;
  leads: Pick<RequestNeeds, 'hashAddress'>;
}

export const requests: Feature<House> = {
  name: 'requests',
  tables: requestTables,
  routes: ({ db, leads: { hashAddress } }) => requestRoutes({ db, hashAddress }),
  readings: requestReadings,
};
