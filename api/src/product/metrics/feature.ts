// The numbers: rollups of what happened, and the reports that read them.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { MetricsCache } from './cache.ts';
import { metricsRoutes } from './routes.ts';

export const metrics: Feature<{
  db: Pool;
  metrics: MetricsCache;
  config: { EVENT_RETENTION_DAYS: number };
}> = {
  name: 'metrics',
  routes: ({ db, metrics: cache, config }) =>
    metricsRoutes({ db, cache, retentionDays: config.EVENT_RETENTION_DAYS }),
};
