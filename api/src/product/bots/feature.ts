// Whose visits are not a visitor's: robots by an admin's verdict or a pattern that shows later, and the site's own people.
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { botRoutes } from './routes.ts';
import { type StaffNeeds, staffRoutes, staffTells } from './staff-routes.ts';
import { botTables } from './tables.ts';
import { judgePatterns } from './verdicts.ts';

export const bots: Feature<StaffNeeds, { config: Config; db: Pool; sites: Sites }> = {
  name: 'bots',
  tables: botTables,
  tells: staffTells,
  routes: (house) => [...botRoutes(house), ...staffRoutes(house)],
  jobs: ({ config, db, sites }) => [
    {
      name: 'bots',
      cron: '7 * * * *',
      why: 'some bots show only in a crowd: one address, hundreds of one-event visitors; an admin may say otherwise',
      run: async () => ({ ...(await judgePatterns(db, sites.ids(), config.SESSION_INACTIVITY_MINUTES)) }),
    },
  ],
};
