// Rules that warn when a site's numbers are unlike themselves.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { openVault } from '../accounts/vault.ts';
import type { LeadWork } from '../captures/start.ts';
import type { Sites } from '../sites/recognise.ts';
import { alertRuleRoutes, type RuleNeeds } from './routes.ts';
import { alertRuleTables } from './tables.ts';
import { watchSites } from './watch.ts';

interface Work {
  db: Pool;
  sites: Sites;
  leads: Pick<LeadWork, 'mailing'>;
  config: { ACCOUNT_KEYS?: string | undefined };
}

export const alertRules: Feature<RuleNeeds, Work> = {
  name: 'alert rules',
  tables: alertRuleTables,
  routes: alertRuleRoutes,
  jobs: ({ db, sites, leads, config }) => [
    {
      name: 'alert_rules',
      cron: '7 * * * *',
      why: 'the hour that is over is compared with the same of the last four weeks, where a site has rules',
      run: async ({ log }) => ({
        ...(await watchSites({
          db,
          sites,
          log,
          vault: openVault(config.ACCOUNT_KEYS),
          mailing: leads.mailing,
        })),
      }),
    },
  ],
};
