// Days that another tool counted, brought in beside our own.
import type { Feature } from '../../ground/feature.ts';
import { type ImportNeeds, importRoutes } from './routes.ts';
import { importTables } from './tables.ts';

export const imports: Feature<ImportNeeds> = {
  name: 'imports',
  tables: importTables,
  routes: importRoutes,
};
