// Backups, and their restore on trial.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { type BackupSettings, runBackup } from './dump.ts';
import { putAsideReading } from './put-aside-reading.ts';
import { verifyBackup } from './verify.ts';

export const backups: Feature<{ db: Pool }, { backups: BackupSettings }> = {
  name: 'backups',
  keeps: { backupDays: { holds: 'copies of the database', for: { days: 'BACKUP_RETENTION_DAYS' } } },
  readings: [putAsideReading],
  jobs: ({ backups: settings }) => [
    {
      name: 'backup',
      cron: '15 2 * * *',
      minutesMax: 120,
      why: 'a disk can die any night; dumped, read back, encrypted if wanted, copied off the machine',
      run: async () => ({ ...(await runBackup(settings)) }),
    },
    {
      name: 'verify_backup',
      cron: '0 3 * * *',
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
