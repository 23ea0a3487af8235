// marketing restore, restore-finish, restore-undo, snapshot: another database in the place of this one, and back. Whoever
// puts a database aside prints its name alone on standard output, and undo and finish take that name.
import { dirname, join } from 'node:path';
import { FUNCTIONS } from '../../features.ts';
import { migrate } from '../../ground/db/migrate.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { mergeJournal } from '../backups/journal.ts';
import { dropPutAside, listPutAside, takeSnapshot, undoRestore } from '../backups/put-aside.ts';
import { restoreBackup } from '../backups/restore.ts';
import { identityOf } from './backups.ts';
import { replayJournal } from './journal.ts';
import { known } from './migrations.ts';
import { print, say } from './print.ts';
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
      if (done.length > 0) say(`brought up to this release by ${done.join(', ')}`);
    },
    replayJournal,
    say,
  });
  print(old);
}

/** name  '': drops nothing and tells which there are */
export async function finish(name: string): Promise<void> {
  if (name) {
    await dropPutAside(backups(), name);
    say(`dropped ${name}`);
    return;
  }
  const there = await listPutAside(backups());
  for (const each of there) print(`${each.name}  ${Math.round((each.bytes ?? 0) / 1e6)} MB  ${each.at}`);
  say(there.length > 0 ? 'nothing was dropped; name the one that may go' : 'no database is put aside');
}

export async function undo(name: string): Promise<void> {
  const refused = await undoRestore(backups(), name);
  say(`${name} is the database again; the one in its place until now is kept as ${refused}`);
  print(refused);
}

export async function snapshot(): Promise<void> {
  print(await takeSnapshot(backups()));
}
