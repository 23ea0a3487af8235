// One at a time, whoever started it: locks that every process on this database sees.
import { askForPooler, isPooledUrl } from '../../ground/db/pooler.ts';
import { BackupError, connect, type Tools } from './tools.ts';

// Any numbers that nothing else uses.
const BACKUP_LOCK = 7_301_050;
export const OFFSITE_LOCK = 7_301_051;

/** throws  busy, when another process is at it */
export async function alone<T>(settings: Tools, work: () => Promise<T>, lock = BACKUP_LOCK): Promise<T> {
  if (isPooledUrl(await askForPooler(settings.ownerUrl)))
    throw new BackupError(
      'no_tools',
      'DATABASE_URL leads to a pooler in transaction mode, through which no backup can be made. Name the server itself in DATABASE_URL, and the pooler in DATABASE_APP_URL.',
    );
  const client = await connect(settings.ownerUrl);
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [lock]);
    if (!rows[0]!.mine)
      throw new BackupError(
        'busy',
        lock === BACKUP_LOCK
          ? 'A backup or its trial restore is running already.'
          : 'Copies are being brought off this machine already.',
      );
    return await work();
  } finally {
    await client.end().catch(() => {});
  }
}
