// Brings what is missing off this machine, and forgets there what is old: by what lies there, and only once the newest is.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../ground/lib/durable.ts';
import { patientShelf } from '../../ground/shelf/shelf.ts';
import { nameOf, type Offsite, OffsiteFault, type Shelf, wordsOf } from '../../ground/shelf/target.ts';
import { manifestOf, readManifest, setPaths } from './manifest.ts';
import { bringJournal } from './offsite-journal.ts';
import { chooseKept, listBackups } from './rotate.ts';
import { checkName, type HereSet, type Known, nothingKnown, setsThere, type ThereSet } from './there.ts';

export interface BringSettings {
  /** Where backups lie on this machine. */
  folder: string;
  /** Set: only what is encrypted leaves this machine. */
  recipient: string | null;
  keptDays: number;
  /** What was forgotten; a restore elsewhere must forget it too. */
  journal: string;
  /** The name of this installation; null: not known, and then nothing there is removed. */
  installation: string | null;
}

export interface Brought {
  target: string;
  /** The newest backup lies there whole, and nothing else went wrong. */
  ok: boolean;
  /** What went wrong, in words; null when nothing did. */
  message: string | null;
  at: string;
  /** Whole copies of ours that lie there now, and how many of them were restored on trial; null when the place could not be asked. */
  copies: number | null;
  proven: number | null;
  /** When the newest whole one there was made. */
  newest: string | null;
  sent: string[];
  removed: string[];
  /** Old ones that are to go and could not be removed. */
  unremoved: string[];
  /** For the next run. */
  known: Known;
}

/** What the outside does is a value: a place that fails costs no backup and no upgrade. */
export async function bring(
  target: Offsite,
  settings: BringSettings,
  {
    now = new Date(),
    signal,
    known = nothingKnown(),
  }: { now?: Date; signal?: AbortSignal | undefined; known?: Known | undefined } = {},
): Promise<Brought> {
  const brought: Brought = {
    target: nameOf(target),
    ok: false,
    message: null,
    at: now.toISOString(),
    copies: null,
    proven: null,
    newest: null,
    sent: [],
    removed: [],
    unremoved: [],
    known: structuredClone(known),
  };
  const shelf = patientShelf(target, signal);
  const faults: string[] = [];
  try {
    await bringTo(shelf, settings, now, brought, faults);
  } catch (error) {
    faults.push(wordsOf(error));
  } finally {
    shelf.close();
  }
  brought.ok = faults.length === 0;
  brought.message = faults.length > 0 ? faults.join('; ').slice(0, 600) : null;
  return brought;
}

async function bringTo(
  shelf: Shelf,
  settings: BringSettings,
  now: Date,
  brought: Brought,
  faults: string[],
): Promise<void> {
  const here = await setsHere(settings);
  const room = join(settings.folder, 'offsite');
  await makeFolder(room);
  const { known } = brought;
  const asked = { shelf, installation: settings.installation, room, known };
  const newest = here.at(-1);
  const send = async (set: HereSet) => {
    // the dump first: what has a manifest there is whole
    for (const name of [set.file, manifestOf(set.file)])
      await shelf.put(join(settings.folder, name)).catch((error) => {
        if (set === newest || error.code !== 'ENOENT') throw error; // an older one may be rotated away meanwhile
      });
    brought.sent.push(set.file);
    known.dumps[set.stamp] = set.bytes;
  };
  const found = await shelf.list().catch(async (error) => {
    // a key that may not list can still bring the newest to safety
    const refused = (error as { final?: boolean }).final === true;
    if (refused && newest && known.dumps[newest.stamp] !== newest.bytes) await send(newest);
    throw error;
  });
  const before = await setsThere(found, here, asked);
  tell(brought, before);
  for (const set of missing(here, before, now, settings.keptDays)) {
    refuseStranger(before.find(({ stamp }) => stamp === set.stamp));
    await send(set);
  }
  let proofs = 0;
  for (const { stamp, check } of here)
    if (check?.ok && before.find((set) => set.stamp === stamp)?.proven !== true)
      if (await isFile(setPaths(settings.folder, stamp).check)) {
        await shelf.put(join(settings.folder, checkName(stamp)));
        proofs++;
      }
  await bringJournal(shelf, found, { journal: settings.journal, room, known });

  const changed = brought.sent.length + proofs > 0;
  const there = changed ? await setsThere(await shelf.list(), here, asked) : before;
  tell(brought, there);
  if (newest && !there.some((set) => set.stamp === newest.stamp && set.whole))
    throw new OffsiteFault(`${newest.file} does not lie there whole, so nothing there was removed`);
  if (newest && settings.installation) await forget(shelf, there, now, settings.keptDays, brought, faults);
  // longer than any upload takes; a key that may not look for them leaves them to the bucket's own rules
  await shelf.tidy?.(new Date(now.getTime() - 7 * DAY_MS)).catch(() => {});
  const strangers = there.filter(({ ours }) => ours === false).length;
  if (strangers > 0)
    faults.push(
      `${strangers} backups of another installation lie in the same folder; they are left alone: give each installation a folder of its own`,
    );
}

const isFile = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Backups of this machine that may leave it, oldest first. */
export async function setsHere({
  folder,
  recipient,
}: Pick<BringSettings, 'folder' | 'recipient'>): Promise<HereSet[]> {
  const sets: HereSet[] = [];
  for (const set of await listBackups(folder)) {
    const paths = setPaths(folder, set.stamp);
    if (!set.encrypted && recipient) continue;
    const path = set.encrypted ? paths.encrypted : paths.dump;
    // one whose manifest is damaged here is no backup, and goes nowhere
    const manifest = await readManifest(path).catch(() => null);
    const { size } = (await stat(path).catch(() => null)) ?? {};
    if (manifest && size === manifest.file.bytes)
      sets.push({ ...set, file: manifest.file.name, bytes: size, seal: manifest.seal });
  }
  return sets;
}

/** Those that the rule of rotation would keep there, were they there: the newest first, then what was missed. */
function missing(here: HereSet[], there: ThereSet[], now: Date, keptDays: number): HereSet[] {
  const whole = there.filter(isOurs);
  const far = whole.filter(({ stamp }) => !here.some((set) => set.stamp === stamp)).map(asSet);
  const kept = new Set(chooseKept([...far, ...here], now, keptDays));
  const newest = here.at(-1);
  return here
    .filter((set) => kept.has(set.stamp) || set === newest)
    .filter(({ stamp }) => !whole.some((set) => set.stamp === stamp))
    .reverse();
}

const isOurs = ({ whole, ours }: ThereSet): boolean => whole && ours === true;
const asSet = ({ stamp, at, proven }: ThereSet) => ({
  stamp,
  at,
  encrypted: false,
  plain: false,
  check: proven ? { ok: true, at: at.toISOString(), ms: 0, problems: [] } : null,
});

function refuseStranger(set: ThereSet | undefined): void {
  if (set?.ours === false)
    throw new OffsiteFault(
      'another installation keeps a backup of the same moment there: give each installation a folder of its own',
      { final: true },
    );
}

function tell(brought: Brought, there: ThereSet[]): void {
  const ours = there.filter(isOurs);
  brought.copies = ours.length;
  brought.proven = ours.filter(({ proven }) => proven).length;
  brought.newest = ours.at(-1)?.at.toISOString() ?? null;
  brought.known.dumps = Object.fromEntries(
    ours.flatMap(({ stamp, files }) =>
      files.flatMap(({ name, bytes }) => (/\.dump(\.age)?$/.test(name) ? [[stamp, bytes] as const] : [])),
    ),
  );
}

const DAY_MS = 86_400_000;

/** What cannot be removed now is tried again by every later run, because it still lies there. */
async function forget(
  shelf: Shelf,
  there: ThereSet[],
  now: Date,
  keptDays: number,
  brought: Brought,
  faults: string[],
): Promise<void> {
  const whole = there.filter(isOurs);
  const kept = new Set(chooseKept(whole.map(asSet), now, keptDays));
  const old = (set: ThereSet) => now.getTime() - set.at.getTime() > keptDays * DAY_MS;
  let reason = '';
  for (const set of there) {
    // what is left of one counts for nothing; it goes when it is old, because it holds people all the same
    const goes = isOurs(set) ? !kept.has(set.stamp) : set.ours !== false && old(set);
    if (!goes) continue;
    try {
      // the dump first: as long as a piece is left, the next run finds it and goes on
      for (const { name } of [...set.files].sort(dumpFirst)) await shelf.remove(name);
      brought.removed.push(set.stamp);
    } catch (error) {
      brought.unremoved.push(set.stamp);
      reason = wordsOf(error);
    }
  }
  tell(
    brought,
    there.filter(({ stamp }) => !brought.removed.includes(stamp)),
  );
  if (brought.unremoved.length > 0)
    faults.push(
      `${brought.unremoved.length} old copies could not be removed and still lie there, the oldest of ${brought.unremoved[0]}: ${reason}`,
    );
}

const dumpFirst = (a: { name: string }, b: { name: string }): number =>
  Number(a.name.endsWith('.json')) - Number(b.name.endsWith('.json'));
