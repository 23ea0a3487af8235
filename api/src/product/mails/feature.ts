// Mails to people: they wait in the database until a mail server has taken them.
import type { Feature } from '../../ground/feature.ts';
import type { Site } from '../../ground/site.ts';
import type { Sites } from '../sites/recognise.ts';
import { mailReadings } from './readings.ts';
import { mailTables } from './tables.ts';

interface MailWork {
  sites: Sites;
  leads: { sendMails(sites: Site[]): Promise<{ sent: number; postponed: number; givenUp: number }> };
}

export const mails: Feature<Parameters<(typeof mailReadings)[0]['read']>[0], MailWork> = {
  name: 'mails',
  tables: mailTables,
  readings: mailReadings,
  jobs: ({ sites, leads }) => [
    {
      name: 'outgoing_mails',
      cron: '* * * * *',
      why: 'mails wait in the database until a mail server has taken them',
      run: async () => ({ ...(await leads.sendMails(sites.list())) }),
    },
  ],
};
