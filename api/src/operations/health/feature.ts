// Whether it lives, is ready, and how it fares. The life routes answer before there is a house (app.ts mounts them).
import type { Feature } from '../../ground/feature.ts';
import type { Meters } from '../../ground/http/meters.ts';
import { processesReading } from './readings.ts';
import { metersRoute } from './routes.ts';

export const health: Feature<{ meters: Meters } & Parameters<typeof processesReading.read>[0]> = {
  name: 'health',
  routes: (house) => [metersRoute(house)],
  readings: [processesReading],
};
