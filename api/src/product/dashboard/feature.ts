// What people look at: a page made of the public API alone.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { dashboardRoutes } from './routes.ts';

export const dashboard: Feature<{ db: Pool }> = { name: 'dashboard', routes: dashboardRoutes };
