// What visitors did: taken in batches, cut into sessions, counted in the ledger.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { renewSalts } from './day-visitor.ts';
import { makePartitions } from './partitions.ts';
import { purgeRecentBodies } from './queries.ts';
import { eventReadings } from './readings.ts';
import { type EventNeeds, eventRoutes } from './routes.ts';
import { eventTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

export const events: Feature<
  EventNeeds & { config: { IP_HASH_PEPPER: string }; db: Pool },
  { db: Pool; sites: Sites }
> = {
  name: 'events',
  functions: [sql('recut_sessions.sql'), sql('placed_elsewhere.sql'), sql('ingest_events.sql')],
  tables: eventTables,
  routes: eventRoutes,
  readings: eventReadings,
  jobs: ({ db, sites }) => [
    {
      name: 'partitions',
      cron: '10 */6 * * *',
      why: 'events need a partition for their day; a week ahead survives a week without this job',
      run: async () => ({ made: await makePartitions(db, -2, 7) }),
    },
    {
      name: 'day_salts',
      cron: '*/10 * * * *',
      why: "the key of a day's visitors is made before the day begins, and forgotten when it is 48 h old",
      run: async () => ({ forgotten: await renewSalts(db) }),
    },
    {
      name: 'recent_bodies',
      cron: '* * * * *',
      why: 'digests of bodies only matter for 30 s',
      run: async () => ({ forgotten: await purgeRecentBodies(db, sites.ids()) }),
    },
  ],
};
