// marketing backup, verify, newest, inspect: making backups and looking at them.
import { readFile, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { backUp, shown } from '../backups/offsite.ts';
import { inspectBackup } from '../backups/restore.ts';
import { listBackups } from '../backups/rotate.ts';
import { BackupError } from '../backups/tools.ts';
import { verifyBackup } from '../backups/verify.ts';
import { refuseForeign } from '../backups/whose.ts';
import { known } from './migrations.ts';
import { noteNumbers } from './numbers.ts';
import { print } from './print.ts';
import { backups } from './settings.ts';

/** Exit status 4: the backup is there, but a copy of it could not be brought off the machine. */
export async function backup({ nameOnly, copy }: { nameOnly: boolean; copy: boolean }): Promise<void> {
  const result = await backUp(backups(), { copy });
  noteNumbers({ file: basename(result.file), copies: result.copies.length });
  print(nameOnly ? result.file : JSON.stringify({ ...result, copies: result.copies.map(shown) }));
  for (const { target, ok, message } of result.copies)
    if (!ok)
      process.stderr.write(
        `the backup is made; its copy to ${target} failed: ${message}; tried again every hour\n`,
      );
  if (result.copies.some(({ ok }) => !ok)) process.exitCode = 4;
}

export async function verify(): Promise<void> {
  const check = await verifyBackup(backups());
  print(JSON.stringify(check));
  if (!check.ok) process.exitCode = 1;
}

export async function newest({ plain }: { plain: boolean }): Promise<void> {
  const sets = await listBackups(backups().folder);
  const found = plain ? sets.findLast((set) => set.plain) : sets.at(-1);
  if (!found) throw new BackupError('no_backup', 'There is no backup yet; make one with: scripts/backup');
  print(`marketing-${found.stamp}.dump${found.encrypted && !plain ? '.age' : ''}`);
}

export async function inspect(
  file: string,
  { identity, fromAnother }: { identity: string | undefined; fromAnother: boolean },
): Promise<void> {
  const settings = backups();
  const { manifest, temporary, dump } = await inspectBackup({
    ...settings,
    file,
    identity: await identityOf(identity),
    knownMigrations: known(),
    fromAnother,
  });
  if (temporary) await rm(dump, { force: true });
  const says = await refuseForeign(settings, manifest, fromAnother);
  const rows = Object.values(manifest.content.tables).reduce((sum, table) => sum + Number(table.rows), 0);
  print(`${basename(file)}: whole; made ${manifest.createdAt} by release ${manifest.version}, ${rows} rows`);
  for (const sentence of says) print(`  ${sentence}`);
}

export async function identityOf(file: string | undefined): Promise<string | null> {
  if (!file) return null;
  // the file age-keygen writes has comments beside the key
  return /^AGE-SECRET-KEY-\S+/m.exec(await readFile(file, 'utf8'))?.[0] ?? 'none';
}
