// Everything at a glance.
import type { Feature } from '../../ground/feature.ts';
import { type StatusNeeds, statusRoutes } from './routes.ts';

export const status: Feature<StatusNeeds> = { name: 'status', routes: statusRoutes };
