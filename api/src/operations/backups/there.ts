// What lies in a place off this machine, sorted into backups: whole ones, whose they are, and what is left of others.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Found, Shelf } from '../../ground/shelf/target.ts';
import { type Manifest, parseManifest, stampedAt } from './manifest.ts';
import type { BackupSet } from './rotate.ts';

export interface ThereSet {
  stamp: string;
  at: Date;
  /** All that bears its stamp, and how large it is there. */
  files: Found[];
  /** The dump and its manifest are there, and of the size they must have. */
  whole: boolean;
  /** A trial restore of it was equal, table by table. */
  proven: boolean;
  /** false: another installation's, which is left alone; null: nobody knows, because no manifest of it can be read. */
  ours: boolean | null;
  /** Of its manifest, where that had to be read. */
  manifest: Manifest | null;
}

/** A backup that lies here and may leave this machine: its dump, which is encrypted where a key is set. */
export interface HereSet extends BackupSet {
  file: string;
  bytes: number;
  seal: string;
}

/** What earlier runs have seen for themselves, so that a run that changes nothing asks for one list. */
export interface Known {
  /** Bytes of the dumps of ours that were proven to lie there whole, by stamp. */
  dumps: Record<string, number>;
  /** Bytes of the list of what was forgotten, when all of it lay there. */
  journal: { here: number; there: number } | null;
}
export const nothingKnown = (): Known => ({ dumps: {}, journal: null });

export const JOURNAL = 'forgotten.ndjson';
export const checkName = (stamp: string): string => `marketing-${stamp}.check.json`;

/**
 * installation  ours; a manifest of before installations had names is taken for ours
 * room          a folder of this machine, for reading the manifests of what is not here any more
 */
export async function setsThere(
  found: readonly Found[],
  here: readonly HereSet[],
  {
    shelf,
    installation,
    room,
    known = nothingKnown(),
  }: { shelf: Pick<Shelf, 'get'>; installation: string | null; room: string; known?: Known },
): Promise<ThereSet[]> {
  const byStamp = new Map<string, Found[]>();
  for (const one of found) {
    const stamp = /^marketing-(\d{8}T\d{6}Z)\./.exec(one.name)?.[1];
    if (stamp) byStamp.set(stamp, [...(byStamp.get(stamp) ?? []), one]);
  }
  const sets: ThereSet[] = [];
  for (const [stamp, files] of [...byStamp].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const proven = files.some(({ name }) => name === checkName(stamp));
    const dump = files.find(({ name }) => /\.dump(\.age)?$/.test(name));
    const paper = files.find(({ name }) => /\.dump(\.age)?\.json$/.test(name));
    const common = { stamp, at: stampedAt(stamp), files, proven };
    if (dump && paper && known.dumps[stamp] === dump.bytes) {
      sets.push({ ...common, whole: true, ours: true, manifest: null });
      continue;
    }
    const own = here.find((set) => set.stamp === stamp);
    const manifest = paper ? await readThere(paper, dump, shelf, room) : null;
    const fits = manifest !== null && (!own || manifest.seal === own.seal);
    const ours = manifest ? (manifest.installation?.id ?? installation) === installation : null;
    sets.push({ ...common, whole: fits && dump?.bytes === manifest.file.bytes, ours, manifest });
  }
  return sets;
}

/** The manifest of what is there, when it can be read and is whole. */
async function readThere(
  paper: Found,
  dump: Found | undefined,
  shelf: Pick<Shelf, 'get'>,
  room: string,
): Promise<Manifest | null> {
  if (paper.bytes > 1_000_000) return null;
  const to = join(room, `${paper.name}.there.partial`);
  await rm(to, { force: true });
  try {
    await shelf.get(paper.name, to);
    return parseManifest(await readFile(to, 'utf8'), dump?.name ?? paper.name.replace(/\.json$/, ''));
  } catch (error) {
    // a manifest that is damaged is one thing, a place that does not answer another
    if ((error as Error).name === 'BackupError') return null;
    throw error;
  } finally {
    await rm(to, { force: true });
  }
}
