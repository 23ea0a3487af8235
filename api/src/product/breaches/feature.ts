// The register of what went wrong with personal data.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { breachRoutes } from './routes.ts';

export const breaches: Feature<{ db: Pool }> = { name: 'breaches', routes: breachRoutes };
