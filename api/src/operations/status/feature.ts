// Everything at a glance.
import type { Feature } from '../../ground/feature.ts';
import { growth } from './growth.ts';
import { type StatusNeeds, statusRoutes } from './routes.ts';

export const status: Feature<StatusNeeds & Parameters<typeof growth.read>[0]> = {
  name: 'status',
  routes: statusRoutes,
  readings: [growth],
};
