// Everything at a glance.
import type { Feature } from '../../ground/feature.ts';
import { statusRoutes } from './routes.ts';
import type { Status } from './status.ts';

export const status: Feature<{ status: () => Promise<Status> }> = { name: 'status', routes: statusRoutes };
