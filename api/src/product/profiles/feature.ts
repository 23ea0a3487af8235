// Profiles of visitors who agreed to be known again, and the score of their behaviour.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Feature } from '../../ground/feature.ts';
import type { CustomFields } from '../custom-fields/known.ts';
import type { Sites } from '../sites/recognise.ts';
import { countProfiles, dropProfiles } from './queries.ts';
import { profileRoutes } from './routes.ts';
import { profileTables } from './tables.ts';
import { areScored, weightsOf } from './weights.ts';

interface Parts {
  db: Pool;
  sites: Sites;
}

export const profiles: Feature<Parts & { customFields: CustomFields }, Parts> = {
  name: 'profiles',
  tables: profileTables,
  routes: profileRoutes,
  jobs: ({ db, sites }) => [
    {
      name: 'profiles',
      cron: '37 * * * *',
      minutesMax: 10,
      why: 'the score of visitors who agreed to be known again; who does not any more has none',
      async run({ signal }) {
        let counted = 0;
        for (const site of sites.list()) {
          if (signal?.aborted) break;
          const { siteId } = site;
          if (areScored(site))
            counted += await inSites(db, siteId, (tx) => countProfiles(tx, siteId, weightsOf(site)));
          else await inSites(db, siteId, (tx) => dropProfiles(tx, siteId));
        }
        return { visitors: counted };
      },
    },
  ],
};
