// The jobs themselves: seen and run by hand.
import type { Pool } from '../db/pool.ts';
import type { Feature } from '../feature.ts';
import { jobRoutes } from './routes.ts';
import type { Runner } from './runner.ts';

export const jobs: Feature<{ db: Pool; runner: Runner }> = { name: 'jobs', routes: jobRoutes };
