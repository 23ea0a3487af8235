// The numbers: rolled up by day, read in reports.
import type { Feature } from '../../ground/feature.ts';
import { type MetricsWork, metricsJobs } from './jobs.ts';
import { sealDays } from './seal.ts';
import { metricTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

export const metrics: Feature<never, MetricsWork> = {
  name: 'metrics',
  functions: [sql('gather_lead_facts.sql'), sql('roll_up_day.sql')],
  tables: metricTables,
  jobs: metricsJobs,
  endings: ({ db }) => ({ 'sealed days': sealDays(db) }),
};
