// Every backup there is, here and elsewhere: what scripts/backup --list shows.

import { join } from 'node:path';
import { makeFolder } from '../../ground/lib/durable.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { nameOf, wordsOf } from '../../ground/shelf/target.ts';
import { setsHere } from './bring.ts';
import type { BackupSettings } from './dump.ts';
import { listBackups } from './rotate.ts';
import { setsThere } from './there.ts';

export interface Listed {
  name: string;
  at: string;
  bytes: number;
  /** Restored on trial and found equal, table by table. */
  proven: boolean;
  /** "here", and the places where a whole copy lies. */
  lies: string[];
  /** Another installation's. */
  foreign: boolean;
}

/** Newest first. faults: places that could not be asked, in words */
export async function allBackups(
  settings: Pick<BackupSettings, 'folder' | 'offsite' | 'recipient'>,
  installation: string | null,
): Promise<{ backups: Listed[]; faults: string[] }> {
  const byStamp = new Map<string, Listed>();
  const here = await setsHere({ folder: settings.folder, recipient: null });
  const checks = new Map((await listBackups(settings.folder)).map(({ stamp, check }) => [stamp, check]));
  for (const { stamp, file, bytes, at } of here)
    byStamp.set(stamp, {
      name: file,
      at: at.toISOString(),
      bytes,
      proven: checks.get(stamp)?.ok === true,
      lies: ['here'],
      foreign: false,
    });
  const faults: string[] = [];
  const room = join(settings.folder, 'offsite');
  await makeFolder(room);
  for (const target of settings.offsite) {
    const shelf = patientShelf(target);
    try {
      for (const set of await setsThere(await shelf.list(), here, { shelf, installation, room })) {
        const dump = set.files.find(({ name }) => /\.dump(\.age)?$/.test(name));
        const known = byStamp.get(set.stamp);
        const where = set.whole ? nameOf(target) : `${nameOf(target)} (not whole)`;
        if (known) {
          known.lies.push(where);
          known.proven ||= set.proven;
        } else if (dump)
          byStamp.set(set.stamp, {
            name: dump.name,
            at: set.at.toISOString(),
            bytes: dump.bytes,
            proven: set.proven,
            lies: [where],
            foreign: set.ours === false,
          });
      }
    } catch (error) {
      faults.push(`${nameOf(target)}: ${wordsOf(error)}`);
    } finally {
      shelf.close();
    }
  }
  return { backups: [...byStamp.values()].sort((a, b) => (a.at < b.at ? 1 : -1)), faults };
}
