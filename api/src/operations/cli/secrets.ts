// marketing database-password, pepper-check: what scripts/rotate asks. Secrets come by standard input, never as words.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { changePassword } from '../backups/database-password.ts';
import { pepperMark } from '../backups/installation.ts';
import { readManifest } from '../backups/manifest.ts';
import { ownName } from '../backups/whose.ts';
import { print } from './print.ts';
import { backups } from './settings.ts';

export async function databasePassword(): Promise<void> {
  const changed = await changePassword(backups().ownerUrl, (await text(process.stdin)).trim());
  print(changed ? 'the database has the new password' : 'the database had the new password already');
}

/** Exit status 1: the pepper on standard input, or that of a backup, is another one than that in use. */
export async function pepperCheck(): Promise<void> {
  const { pepper, folder, ownerUrl } = backups();
  const id = await ownName(ownerUrl);
  const say = (what: string, fits: boolean) => {
    print(`${what}: ${fits ? 'the pepper in use' : 'ANOTHER pepper'}`);
    if (!fits) process.exitCode = 1;
  };
  if (id) print(`installation ${id}, pepper ${pepperMark(pepper, id)}`);
  const kept = (await text(process.stdin)).trim();
  if (kept) say('the one you gave', kept === pepper);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.dump(\.age)?\.json$/.test(name));
  for (const name of names.sort()) {
    const { installation } = await readManifest(join(folder, name.replace(/\.json$/, '')));
    if (installation)
      say(name.replace(/\.json$/, ''), installation.pepper === pepperMark(pepper, installation.id));
  }
}
