// What became of people: signups, activations, purchases, told by the customer's own server.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import { type ConversionNeeds, conversionRoutes } from './routes.ts';
import { conversionTables } from './tables.ts';

export const conversions: Feature<{
  db: Pool;
  metrics: MetricsCache;
  leads: Pick<ConversionNeeds, 'hashAddress'>;
  sites: ConversionNeeds['sites'];
  outbox: ConversionNeeds['outbox'];
}> = {
  name: 'conversions',
  tables: conversionTables,
  routes: ({ db, metrics, leads: { hashAddress }, outbox, sites }) =>
    conversionRoutes({ db, cache: metrics, hashAddress, outbox, sites }),
};
