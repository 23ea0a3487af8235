// The numbers: rollups of what happened, and the reports that read them.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { archiveGuard } from '../archive/guard.ts';
import type { Sites } from '../sites/recognise.ts';
import type { MetricsCache } from './cache.ts';
import { type MetricsWork, metricsJobs } from './jobs.ts';
import type { Numbers } from './numbers.ts';
import { metricsReadings } from './readings.ts';
import { metricsRoutes } from './routes.ts';
import { foldFullDays, sealDays } from './seal.ts';
import { sessionRoutes } from './sessions.ts';
import { metricTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

interface MetricsNeeds {
  db: Pool;
  sites: Sites;
  numbers: Numbers;
  metrics: MetricsCache;
  config: { EVENT_RETENTION_DAYS: number; GEO_DATABASE?: string | undefined };
}

export const metrics: Feature<MetricsNeeds, MetricsWork> = {
  name: 'metrics',
  functions: [
    sql('gather_lead_facts.sql'),
    sql('credit_leads.sql'),
    sql('gather_visit_facts.sql'),
    sql('count_visits.sql'),
    sql('visitors_there.sql'),
    sql('keep_visits.sql'),
    sql('roll_up_day.sql'),
    sql('compare_day.sql'),
  ],
  tables: metricTables,
  routes: (needs) => [...metricsRoutes(needs), ...sessionRoutes(needs)],
  readings: metricsReadings,
  jobs: metricsJobs,
  endings: ({ db, config, sites }) => ({
    'sealed days': sealDays(db, archiveGuard({ db, config, sites })),
    'full days': foldFullDays(db),
  }),
};
