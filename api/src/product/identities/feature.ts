// Which visitor is which lead, said by hand.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { identityRoutes } from './routes.ts';

export const identities: Feature<{ db: Pool }> = { name: 'identities', routes: identityRoutes };
