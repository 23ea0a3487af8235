// The page on which a person sees, corrects, takes along, withdraws and deletes what is held about them, reached by a mailed link.
import type { Feature } from '../../ground/feature.ts';
import type { Leads } from '../captures/start.ts';
import { correctionRoutes } from './address.ts';
import { type AskNeeds, askRoutes, askTells } from './ask-routes.ts';
import { type DeleteNeeds, deleteRoutes } from './delete.ts';
import { type LinkNeeds, linkRoutes, linkTells } from './link-routes.ts';
import { type SendNeeds, sendLinks } from './send.ts';
import { yourDataTables } from './tables.ts';

interface House
  extends Pick<AskNeeds, 'db'>,
    Pick<LinkNeeds, 'sites' | 'tables'>,
    Pick<DeleteNeeds, 'forget' | 'periods'> {
  config: { PUBLIC_URL?: string | undefined; BACKUP_RETENTION_DAYS: number };
  leads: Pick<Leads, 'hashAddress' | 'withdraw' | 'withdrawDisplay' | 'journal' | 'mailing'> & {
    settings: Pick<AskNeeds, 'senderDefaults'>;
  };
}

export const yourData: Feature<House, SendNeeds> = {
  name: 'your data',
  tables: yourDataTables,
  tells: [...askTells, ...linkTells],
  routes: ({ config, db, sites, tables, forget, periods, leads }) => {
    const { hashAddress, withdraw, withdrawDisplay, journal, mailing, settings } = leads;
    const needs = { db, sites, hashAddress, senderDefaults: settings.senderDefaults };
    return [
      ...askRoutes({ ...needs, mailing }),
      ...linkRoutes({ ...needs, tables, withdraw, withdrawDisplay, publicUrl: config.PUBLIC_URL }),
      ...correctionRoutes(needs),
      ...deleteRoutes({ ...needs, forget, journal, periods, backupDays: config.BACKUP_RETENTION_DAYS }),
    ];
  },
  jobs: (workshop) => [
    {
      name: 'your_data_links',
      cron: '* * * * *',
      why: 'links to their own data are mailed to those who asked, when anything is held about them',
      run: async () => ({ ...(await sendLinks(workshop)) }),
    },
  ],
};
