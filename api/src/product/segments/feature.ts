// Segments: filters under a name, for all who see a site's numbers or for oneself alone.
import type { Feature } from '../../ground/feature.ts';
import { type SegmentNeeds, segmentRoutes } from './routes.ts';
import { segmentTables } from './tables.ts';

export const segments: Feature<SegmentNeeds> = {
  name: 'segments',
  tables: segmentTables,
  routes: segmentRoutes,
};
