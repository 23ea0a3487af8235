// Every place in turn, alone; what became of it is kept for the status, the alarms and the next run.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, replaceDurably } from '../../ground/lib/durable.ts';
import { nameOf } from '../../ground/shelf/target.ts';
import { alone, OFFSITE_LOCK } from './alone.ts';
import { type Brought, bring } from './bring.ts';
import { type BackupResult, type BackupSettings, runBackup } from './dump.ts';
import { BackupError } from './tools.ts';
import { ownName } from './whose.ts';

/** Since when a place has failed; null when its last run was well. */
export type Kept = Brought & { failingSince: string | null };

/**
 * A backup, and its copies elsewhere: with the backup's lock given back, so that a slow line keeps neither the trial restore
 * nor another backup from its turn.
 * copy  false: nothing is brought off this machine now; the hourly job does it
 */
export async function backUp(
  settings: BackupSettings,
  { copy = true, signal }: { copy?: boolean; signal?: AbortSignal } = {},
): Promise<BackupResult & { copies: Brought[] }> {
  const made = await runBackup(settings);
  return { ...made, copies: copy ? await bringAll(settings, signal) : [] };
}

/** returns  one for each target of the settings; none while another process is at it */
export async function bringAll(settings: BackupSettings, signal?: AbortSignal): Promise<Brought[]> {
  if (settings.offsite.length === 0) return [];
  try {
    return await alone(settings, () => toEach(settings, signal), OFFSITE_LOCK);
  } catch (error) {
    if (error instanceof BackupError && error.reason === 'busy') return [];
    throw error;
  }
}

/** Without what only the next run wants to know. */
export const shown = ({ known, ...told }: Brought): Omit<Brought, 'known'> => told;

/** For the table of runs: what a place that failed has to say. */
export function warningsOf(copies: readonly Brought[]): { warnings?: string[] } {
  const warnings = copies.flatMap(({ target, message }) => (message ? `${target}: ${message}` : []));
  return warnings.length > 0 ? { warnings } : {};
}

async function toEach(settings: BackupSettings, signal?: AbortSignal): Promise<Brought[]> {
  const installation = await ownName(settings.ownerUrl);
  const before = await keptBrought(settings.folder);
  const all: Brought[] = [];
  for (const target of settings.offsite) {
    const now = settings.now?.() ?? new Date();
    const { known } = before.find((one) => one.target === nameOf(target)) ?? {};
    all.push(await bring(target, { ...settings, installation }, { now, signal, known }));
  }
  // cut off by the end of the process: that says nothing of the place, and the next start begins anew
  if (signal?.aborted) return all;
  const kept: Kept[] = all.map((one) => ({
    ...one,
    failingSince: one.ok
      ? null
      : (before.find(({ target }) => target === one.target)?.failingSince ?? one.at),
  }));
  await makeFolder(settings.folder);
  await replaceDurably(keptPath(settings.folder), `${JSON.stringify(kept)}\n`);
  return all;
}

const keptPath = (folder: string): string => join(folder, 'offsite.json');

/** What the last run found, a line a place; of places that are set up no more, too. */
export async function keptBrought(folder: string): Promise<Kept[]> {
  try {
    return JSON.parse(await readFile(keptPath(folder), 'utf8')) as Kept[];
  } catch {
    return [];
  }
}
