// What visitors saw of notifications and did with them: stored with the batch they come in, and counted by day.
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endMonths } from './end-months.ts';
import { wholeDays } from './numbers.ts';
import { rollUpNotifications } from './roll-up.ts';
import { numbersRoutes } from './routes.ts';
import { countingTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

interface Workshop {
  config: Pick<Config, 'EVENT_RETENTION_DAYS'>;
  db: Pool;
  sites: { ids(): string[] };
}

// What arrives is at most a day old by its own clock; and a day of the site may have begun before ours.
const DAYS_THAT_CHANGE = 3;

export const counting: Feature<Pick<Workshop, 'config' | 'db'>, Workshop> = {
  name: 'counting',
  routes: ({ db, config }) => numbersRoutes({ db, retentionDays: config.EVENT_RETENTION_DAYS }),
  functions: [sql('store_notification_events.sql'), sql('roll_up_notifications.sql')],
  tables: countingTables,
  jobs: (workshop) => [
    {
      name: 'seen_rollups',
      cron: '*/5 * * * *',
      why: 'what was seen of notifications is read from sums of days, never from every row',
      run: async () => ({ ...(await rollUpNotifications(workshop, DAYS_THAT_CHANGE)) }),
    },
    {
      name: 'seen_recount',
      cron: '40 3 * * *',
      why: 'a verdict about a visitor changes the days before it, as long as their rows are kept',
      run: async () => ({
        ...(await rollUpNotifications(workshop, wholeDays(workshop.config.EVENT_RETENTION_DAYS))),
      }),
    },
  ],
  endings: ({ db }) => ({ 'notification months': endMonths(db) }),
};
