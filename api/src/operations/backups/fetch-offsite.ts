// Fetches a backup from where copies lie, to where a restore takes it: whole, compared with its manifest, or not at all.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, renameDurably } from '../../ground/lib/durable.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { nameOf, type Shelf, wordsOf } from '../../ground/shelf/target.ts';
import { diskUse } from '../health/disk.ts';
import type { BackupSettings } from './dump.ts';
import { checkFile, manifestOf, readManifest } from './manifest.ts';
import { JOURNAL, setsThere, type ThereSet } from './there.ts';
import { BackupError } from './tools.ts';

type Settings = Pick<BackupSettings, 'folder' | 'offsite'>;

/**
 * wanted        a backup's name, or "latest"
 * installation  ours, to tell it from others
 * to            a folder; made if absent
 * returns       the path of the backup; its manifest and the list of what was forgotten lie beside it
 * throws        BackupError: no_backup, with what each place said; disk_short; corrupt
 */
export async function fetchOffsite(
  settings: Settings,
  wanted: string,
  { installation, to }: { installation: string | null; to: string },
): Promise<{ file: string; target: string }> {
  if (settings.offsite.length === 0)
    throw new BackupError('no_backup', 'No place for copies is set up: BACKUP_S3_URL or BACKUP_SSH_URL.');
  await makeFolder(to);
  const said: string[] = [];
  for (const target of settings.offsite) {
    const shelf = patientShelf(target);
    try {
      const set = choose(await asked(shelf, to), wanted, installation);
      if (typeof set !== 'string') return { file: await take(shelf, set, to), target: nameOf(target) };
      said.push(`${nameOf(target)}: ${set}`);
    } catch (error) {
      if (error instanceof BackupError) throw error;
      said.push(`${nameOf(target)}: ${wordsOf(error)}`);
    } finally {
      shelf.close();
    }
  }
  throw new BackupError('no_backup', said.join('; '));
}

const asked = async (shelf: Shelf, room: string): Promise<ThereSet[]> =>
  setsThere(await shelf.list(), [], { shelf, installation: null, room });

/** returns  the backup, or in words why there is none */
function choose(sets: ThereSet[], wanted: string, installation: string | null): ThereSet | string {
  const whole = sets.filter((set) => set.whole);
  if (wanted !== 'latest') {
    const stamp = /(\d{8}T\d{6}Z)/.exec(wanted)?.[1];
    const named = sets.find((set) => set.stamp === stamp);
    if (!named)
      return `there is no ${wanted}; there are ${whole.map((set) => set.stamp).join(', ') || 'none'}`;
    return named.whole ? named : `${wanted} is not whole there`;
  }
  // a machine that was set up anew may have brought its own there already, and nobody means that one by "latest"
  const newest = new Map(whole.map((set) => [set.manifest?.installation?.id ?? 'unnamed', set.stamp]));
  if (newest.size > 1) {
    const each = [...newest].map(([id, stamp]) => `${stamp} of ${id === installation ? 'this one' : id}`);
    return `backups of several installations lie there, so say which: the newest are ${each.join(', ')}`;
  }
  return whole.at(-1) ?? 'no whole backup lies there';
}

async function take(shelf: Shelf, set: ThereSet, to: string): Promise<string> {
  const { name, bytes } = set.manifest!.file;
  const disk = await diskUse(to);
  if (disk && disk.freeBytes < bytes * 1.1)
    throw new BackupError(
      'disk_short',
      `${name} has ${Math.ceil(bytes / 1e6)} MB, and only ${Math.floor(disk.freeBytes / 1e6)} MB are free.`,
    );
  const file = join(to, name);
  const beside = [manifestOf(name), ...((await hasJournal(shelf)) ? [JOURNAL] : [])];
  for (const each of [...beside, name]) {
    const partial = join(to, `${each}.partial`);
    await rm(partial, { force: true });
    try {
      await shelf.get(each, partial);
      if (each === name) await checkFile(partial, (await readManifest(file)).file, 'What was fetched');
      await renameDurably(partial, join(to, each));
    } finally {
      await rm(partial, { force: true });
    }
  }
  return file;
}

const hasJournal = async (shelf: Shelf): Promise<boolean> =>
  (await shelf.list()).some(({ name }) => name === JOURNAL);
