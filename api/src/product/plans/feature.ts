// Plans: what a site may use, what it used, and what is refused beyond it. Without one nothing is counted.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { planReadings } from './readings.ts';
import { planRoutes } from './routes.ts';
import { planTables } from './tables.ts';
import { type CountSeats, countUse } from './use.ts';

interface Parts {
  db: Pool;
  sites: Sites;
}

export const plans: Feature<Parts & { accounts: { seats: CountSeats } }, Parts> = {
  name: 'plans',
  tables: planTables,
  readings: planReadings,
  routes: ({ db, sites, accounts }) => planRoutes({ db, sites, seats: accounts.seats }),
  jobs: ({ db, sites }) => [
    {
      name: 'plan_usage',
      cron: '*/5 * * * *',
      why: 'sites with a plan: what they used this month, who is told of it, and whose events are refused beyond it',
      async run() {
        const done = await countUse(db, sites.ids());
        if (done.changed > 0) await sites.reload();
        return done;
      },
    },
  ],
};
