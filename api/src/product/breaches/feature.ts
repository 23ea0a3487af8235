// The register of breaches of personal data.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { breachReadings } from './readings.ts';
import { breachRoutes } from './routes.ts';
import { breachTables } from './tables.ts';

export const breaches: Feature<{ db: Pool; sites: Sites }> = {
  name: 'breaches',
  tables: breachTables,
  routes: breachRoutes,
  readings: breachReadings,
};
