// Who is a bot after all: an admin's verdict about a visitor, and patterns that only show later.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { botRoutes } from './routes.ts';

export const bots: Feature<{ db: Pool }> = { name: 'bots', routes: botRoutes };
