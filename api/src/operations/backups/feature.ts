// Backups, and their restore on trial.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { restoreCheckRoutes } from './check-routes.ts';
import type { BackupSettings } from './dump.ts';
import { backUp, bringAll, shown, warningsOf } from './offsite.ts';
import { putAsideReading } from './put-aside-reading.ts';
import { backupFolder } from './settings.ts';
import { backupTables } from './tables.ts';
import { verifyBackup } from './verify.ts';

export const backups: Feature<{ db: Pool; config: { DATA_DIR: string } }, { backups: BackupSettings }> = {
  name: 'backups',
  tables: backupTables,
  keeps: { backupDays: { holds: 'copies of the database', for: { days: 'BACKUP_RETENTION_DAYS' } } },
  readings: [putAsideReading],
  routes: ({ config }) => restoreCheckRoutes({ folder: backupFolder(config) }),
  jobs: ({ backups: settings }) => [
    {
      name: 'backup',
      cron: settings.off ? null : '15 2 * * *',
      minutesMax: 120,
      why: 'a disk can die any night; dumped, read back, encrypted if wanted, copied off the machine',
      async run({ signal }) {
        const made = await backUp(settings, { signal });
        return { ...made, copies: made.copies.map(shown), ...warningsOf(made.copies) };
      },
    },
    {
      name: 'offsite',
      cron: settings.off ? null : '40 * * * *',
      minutesMax: 600,
      why: 'a copy that was missed is made up, and what could not be removed elsewhere is tried again',
      async run({ signal }) {
        const copies = await bringAll(settings, signal);
        return { copies: copies.map(shown), ...warningsOf(copies) };
      },
    },
    {
      name: 'verify_backup',
      cron: settings.off ? null : '0 3 * * *',
      minutesMax: 120,
      why: 'a backup nobody has restored is a hope: into a scratch database, compared table by table',
      async run() {
        const check = await verifyBackup(settings);
        if (!check.ok)
          throw new Error(`The newest backup does not restore to what it was: ${check.problems.join('; ')}`);
        return { ...check };
      },
    },
  ],
};
