// Notes on days of the numbers: what people did then, and what the machine did by itself.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { noteOutages } from './machine.ts';
import { type NoteNeeds, noteRoutes } from './routes.ts';
import { noteTables } from './tables.ts';

export const notes: Feature<NoteNeeds, { db: Pool }> = {
  name: 'notes',
  tables: noteTables,
  routes: noteRoutes,
  jobs: ({ db }) => [
    {
      name: 'outages',
      cron: '*/10 * * * *',
      why: 'five minutes or more without service become a note on the charts of all sites, once service is back',
      run: async () => ({ noted: await noteOutages(db) }),
    },
  ],
};
