// What visitors did: taken in batches, cut into sessions, counted in the ledger.
import type { Feature } from '../../ground/feature.ts';
import { type EventNeeds, eventRoutes } from './routes.ts';

export const events: Feature<EventNeeds> = { name: 'events', routes: eventRoutes };
