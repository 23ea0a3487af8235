// Keys of programs: scopes, sites, an end, shown once.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endRows } from '../accounts/end-rows.ts';
import { type KeyNeeds, keyRoutes } from './routes.ts';
import { keyTables } from './tables.ts';
import { keyWay } from './way.ts';

export const keys: Feature<KeyNeeds, { db: Pool }> = {
  name: 'keys',
  tables: keyTables,
  routes: keyRoutes,
  ways: ({ db }) => [keyWay(db)],
  endings: ({ db }) => ({
    'ended keys': endRows(db, 'api_keys', 'coalesce(revoked_at, expires_at) < $1', 'keys'),
  }),
};
