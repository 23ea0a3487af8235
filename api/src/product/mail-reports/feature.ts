// Reports by mail: numbers of a week or month, to who said yes.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { openVault } from '../accounts/vault.ts';
import type { LeadWork } from '../captures/start.ts';
import type { Sites } from '../sites/recognise.ts';
import type { SenderDefaults } from '../sites/sender.ts';
import { reportLinkRoutes, reportTells } from './link-routes.ts';
import { reportRoutes } from './routes.ts';
import { sendReports } from './send.ts';
import { mailReportTables } from './tables.ts';

interface House {
  db: Pool;
  sites: SiteDirectory;
  accounts: Pick<Accounts, 'isConfigured' | 'vault'>;
  leads: Pick<LeadWork, 'mail' | 'forgetJournal' | 'hashAddress'> & {
    settings: { senderDefaults: SenderDefaults };
  };
}
interface Work {
  db: Pool;
  sites: Sites;
  leads: Pick<LeadWork, 'mailing'>;
  config: {
    ACCOUNT_KEYS?: string | undefined;
    EVENT_RETENTION_DAYS: number;
    GEO_DATABASE?: string | undefined;
  };
}

export const mailReports: Feature<House, Work> = {
  name: 'mail reports',
  tables: mailReportTables,
  tells: reportTells,
  routes: ({ db, sites, accounts, leads }) => [
    ...reportRoutes({ db, accounts, leads }),
    ...reportLinkRoutes({
      db,
      sites,
      senderDefaults: leads.settings.senderDefaults,
      forgetJournal: leads.forgetJournal,
    }),
  ],
  jobs: ({ db, sites, leads, config }) => [
    {
      name: 'mail_reports',
      cron: '*/2 * * * *',
      why: 'recipients are asked, and reports by mail leave once their days are counted',
      run: async ({ log }) => ({
        ...(await sendReports({
          db,
          sites,
          log,
          vault: openVault(config.ACCOUNT_KEYS),
          mailing: leads.mailing,
          facts: {
            retentionDays: config.EVENT_RETENTION_DAYS,
            countriesKnown: config.GEO_DATABASE !== undefined,
          },
        })),
      }),
    },
  ],
};
