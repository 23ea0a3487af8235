// marketing offsite, check-offsite, list-backups, fetch-offsite: what has to do with copies of backups elsewhere.
import { join } from 'node:path';
import { checkOffsite } from '../backups/check-offsite.ts';
import { fetchOffsite } from '../backups/fetch-offsite.ts';
import { allBackups } from '../backups/list.ts';
import { bringAll } from '../backups/offsite.ts';
import { BackupError } from '../backups/tools.ts';
import { ownName } from '../backups/whose.ts';
import { print } from './print.ts';
import { backups } from './settings.ts';

const NOWHERE = 'No place for copies is set up: BACKUP_S3_URL or BACKUP_SSH_URL, see docs/backups.md.';

/** Exit status 4: something failed at one of the places. */
export async function bringNow(): Promise<void> {
  const settings = backups();
  if (settings.offsite.length === 0) throw new BackupError('no_backup', NOWHERE);
  const all = await bringAll(settings);
  if (all.length === 0) print('another run is bringing copies already');
  for (const { target, message, copies, proven, sent, removed } of all)
    print(
      `${target}: ${message ?? `well; ${copies} copies, ${proven} of them restored on trial`}; sent ${sent.length}, removed ${removed.length}`,
    );
  if (all.some(({ ok }) => !ok)) process.exitCode = 4;
}

/** Exit status 1: something there does not work. */
export async function check(): Promise<void> {
  const settings = backups();
  if (settings.offsite.length === 0) throw new BackupError('no_backup', NOWHERE);
  for (const place of settings.offsite) {
    const { target, steps } = await checkOffsite(place, join(settings.folder, 'offsite'));
    print(target);
    for (const { does, ok, message } of steps) {
      const how = ok === null ? 'not tried' : ok ? 'well' : `FAILED: ${message}`;
      print(`  ${does.padEnd(22)}${how}`);
      if (ok === false) process.exitCode = 1;
    }
  }
}

/** Exit status 1: a place could not be asked. */
export async function list({ json }: { json: boolean }): Promise<void> {
  const settings = backups();
  const found = await allBackups(settings, await ownName(settings.ownerUrl));
  if (json) print(JSON.stringify(found, null, 1));
  else {
    if (found.backups.length === 0) print('There is no backup.');
    for (const { name, at, bytes, proven, lies, foreign } of found.backups)
      print(
        [
          name.padEnd(38),
          `${at.slice(0, 16).replace('T', ' ')} UTC`,
          `${(bytes / 1e6).toFixed(1)} MB`.padStart(10),
          (proven ? 'proven' : 'not proven').padEnd(10),
          lies.join(', '),
          foreign ? '(another installation)' : '',
        ]
          .join('  ')
          .trimEnd(),
      );
  }
  for (const fault of found.faults) process.stderr.write(`could not be asked: ${fault}\n`);
  if (found.faults.length > 0) process.exitCode = 1;
}

/** Prints the path of what was fetched. */
export async function fetch(name: string, to: string | undefined): Promise<void> {
  const settings = backups();
  const { file, target } = await fetchOffsite(settings, name, {
    installation: await ownName(settings.ownerUrl),
    to: to ?? join(settings.folder, '..', 'incoming'),
  });
  process.stderr.write(`fetched from ${target}\n`);
  print(file);
}
