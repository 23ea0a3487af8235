// marketing restore, restore-finish, restore-undo, snapshot: another database in the place of this one, and back.
import { dirname, join } from 'node:path';
import { FUNCTIONS } from '../../features.ts';
import { migrate } from '../../ground/db/migrate.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { mergeJournal } from '../backups/journal.ts';
import { finishRestore, restoreBackup, takeSnapshot, undoRestore } from '../backups/restore.ts';
import { identityOf } from './backups.ts';
import { replayJournal } from './journal.ts';
import { known } from './migrations.ts';
import { print } from './print.ts';
import { backups } from './settings.ts';

export async function restore(
  file: string,
  { identity, fromAnother }: { identity: string | undefined; fromAnother: boolean },
): Promise<void> {
  const settings = backups();
  const log = makeLog('warn');
  await mergeJournal(join(dirname(file), 'forgotten.ndjson'), settings.journal);
  const { old } = await restoreBackup({
    ...settings,
    file,
    identity: await identityOf(identity),
    fromAnother,
    knownMigrations: known(),
    migrate: async (url) => {
      const done = await migrate(url, FUNCTIONS, log);
      if (done.length > 0) print(`brought up to this release by ${done.join(', ')}`);
    },
    replayJournal,
    say: print,
  });
  print(`kept: ${old}`);
}

export async function finish(): Promise<void> {
  print(`dropped ${(await finishRestore(backups())).join(', ') || 'nothing'}`);
}

export async function undo(): Promise<void> {
  const back = await undoRestore(backups());
  if (!back) throw new Error('There is no kept database to put back.');
  print(`${back} is the database again`);
}

export async function snapshot(): Promise<void> {
  print(`kept: ${await takeSnapshot(backups())}`);
}
