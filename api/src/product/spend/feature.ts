// What was paid for advertising, so that a lead has a price.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import { spendRoutes } from './routes.ts';
import { spendTables } from './tables.ts';

export const spend: Feature<{ db: Pool; metrics: MetricsCache }> = {
  name: 'spend',
  tables: spendTables,
  routes: ({ db, metrics }) => spendRoutes({ db, cache: metrics }),
};
