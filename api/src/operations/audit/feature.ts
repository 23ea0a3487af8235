// Who did what, for seven years.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { auditRoutes } from './routes.ts';

export const audit: Feature<{ db: Pool }> = { name: 'audit', routes: auditRoutes };
