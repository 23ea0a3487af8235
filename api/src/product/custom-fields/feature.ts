// Fields that a site defines for itself, of leads, visitors and events.
import type { Feature } from '../../ground/feature.ts';
import { type CustomFieldNeeds, customFieldRoutes } from './routes.ts';
import { customFieldTables } from './tables.ts';

export const customFields: Feature<CustomFieldNeeds> = {
  name: 'custom-fields',
  tables: customFieldTables,
  routes: customFieldRoutes,
};
