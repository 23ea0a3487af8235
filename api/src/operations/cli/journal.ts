// marketing journal replay, journal retry: what is kept outside the database, so that a restore can repeat it, and what could
// not be stored, to be tried again.
import { FEATURES, tablesOf } from '../../features.ts';
import { appUrl } from '../../ground/db/migrate.ts';
import { makePool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { retryAll } from '../../product/captures/journals.ts';
import { journalFolder } from '../../product/captures/start.ts';
import { forgetAgain } from '../../product/erasure/forget-again.ts';
import { noteNumbers } from './numbers.ts';
import { print } from './print.ts';
import { backups, settings } from './settings.ts';

export async function replay(since: string): Promise<void> {
  print(await replayJournal(settings().DATABASE_URL, new Date(since).toISOString()));
}

/** url: of the restored database. returns  a sentence for the operator */
export async function replayJournal(url: string, since: string): Promise<string> {
  const { IP_HASH_PEPPER: pepper } = settings();
  const pool = makePool(await appUrl(url, pepper), {
    name: 'restore',
    connectionsMax: 1,
    statementTimeoutMs: 600_000,
    log: makeLog('warn'),
  });
  try {
    const { erased, withdrawn, unknown } = await forgetAgain(pool, {
      journal: backups().journal,
      since,
      pepper,
      tables: tablesOf(FEATURES),
    });
    noteNumbers({ erased, withdrawn, unknown });
    return `since the backup ${erased} erasures and ${withdrawn} withdrawals were asked for and are repeated; ${unknown} of people it does not hold`;
  } finally {
    await pool.end();
  }
}

export async function retry(): Promise<void> {
  const count = await retryAll(journalFolder(settings()));
  noteNumbers({ entries: count });
  print(
    count === 0
      ? 'nothing was set aside'
      : `${count} entries are back in the journal; the API stores them within seconds, or at its start. What fails again is set aside again: the log says why`,
  );
}
