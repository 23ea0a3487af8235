// Which visitor is which lead, and on what evidence.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { identityRoutes } from './routes.ts';
import { identityTables } from './tables.ts';

export const identities: Feature<{ db: Pool }> = {
  name: 'identities',
  tables: identityTables,
  routes: identityRoutes,
};
