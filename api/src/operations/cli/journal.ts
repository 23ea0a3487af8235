// marketing journal replay: erasures and withdrawals are kept outside the database, so that a restore can repeat them.
import { FEATURES, tablesOf } from '../../features.ts';
import { appUrl } from '../../ground/db/migrate.ts';
import { makePool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { forgetAgain } from '../../product/erasure/forget-again.ts';
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
    return `since the backup ${erased} erasures and ${withdrawn} withdrawals were asked for and are repeated; ${unknown} of people it does not hold`;
  } finally {
    await pool.end();
  }
}
