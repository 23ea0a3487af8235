// A site's analytics: its summary, its notifications and its tests in one answer.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import type { Numbers } from '../metrics/numbers.ts';
import { reportRoute } from '../metrics/report-route.ts';
import { analyticsOf } from './analytics.ts';

interface Needs {
  db: Pool;
  numbers: Numbers;
  metrics: MetricsCache;
  config: { EVENT_RETENTION_DAYS: number; GEO_DATABASE?: string | undefined };
}

export const analytics: Feature<Needs> = {
  name: 'analytics',
  routes: ({ db, numbers, metrics: cache, config }) => [
    reportRoute(analyticsOf(config.EVENT_RETENTION_DAYS), {
      db,
      numbers,
      cache,
      retentionDays: config.EVENT_RETENTION_DAYS,
      countriesKnown: config.GEO_DATABASE !== undefined,
    }),
  ],
};
