// Who did what, for seven years.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endAuditEntries } from './end.ts';
import { auditReadings } from './readings.ts';
import { auditRoutes } from './routes.ts';
import { auditTables } from './tables.ts';

export const audit: Feature<{ db: Pool }, { db: Pool }> = {
  name: 'audit',
  tables: auditTables,
  routes: auditRoutes,
  readings: auditReadings,
  endings: ({ db }) => ({ 'old audit entries': endAuditEntries(db) }),
};
