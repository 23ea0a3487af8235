// Which backups lie in a folder, and which of them stay.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stampedAt } from './manifest.ts';

export interface BackupSet {
  stamp: string;
  at: Date;
  encrypted: boolean;
  /** The dump in the clear is still here. */
  plain: boolean;
  /** What the nightly restore said; null: not tried. */
  check: Check | null;
}

export interface Check {
  ok: boolean;
  at: string;
  ms: number;
  problems: string[];
}

/** Complete backups (file and manifest), oldest first. */
export async function listBackups(folder: string): Promise<BackupSet[]> {
  const names = new Set(await readdir(folder).catch(() => [] as string[]));
  const stamps = [...names]
    .map((name) => /^marketing-(\d{8}T\d{6}Z)\.dump(\.age)?$/.exec(name)?.[1])
    .filter((stamp) => stamp !== undefined);
  const sets: BackupSet[] = [];
  for (const stamp of [...new Set(stamps)].sort()) {
    const has = (suffix: string) =>
      names.has(`marketing-${stamp}.dump${suffix}`) && names.has(`marketing-${stamp}.dump${suffix}.json`);
    const [plain, encrypted] = [has(''), has('.age')];
    if (plain || encrypted)
      sets.push({ stamp, at: stampedAt(stamp), plain, encrypted, check: await readCheck(folder, stamp) });
  }
  return sets;
}

async function readCheck(folder: string, stamp: string): Promise<Check | null> {
  try {
    return JSON.parse(await readFile(join(folder, `marketing-${stamp}.check.json`), 'utf8')) as Check;
  } catch {
    return null;
  }
}

const DAY_MS = 86_400_000;

/**
 * Stamps to keep: the newest of each of the last 7 days and of the last 4 weeks, none older than keptDays, but always the
 * newest one and the last three that were restored successfully, however old.
 */
export function chooseKept(sets: BackupSet[], now: Date, keptDays: number): string[] {
  const newestFirst = [...sets].sort((a, b) => b.at.getTime() - a.at.getTime());
  const kept = new Set<string>();
  const days = new Set<number>();
  const weeks = new Set<number>();
  for (const { stamp, at } of newestFirst) {
    if (now.getTime() - at.getTime() > keptDays * DAY_MS) continue;
    const day = Math.floor(at.getTime() / DAY_MS);
    // 1970-01-01 was a Thursday; weeks begin on Monday
    const week = Math.floor((day + 3) / 7);
    if (!days.has(day) && days.size < 7) kept.add(stamp);
    if (!weeks.has(week) && weeks.size < 4) kept.add(stamp);
    days.add(day);
    weeks.add(week);
  }
  for (const { stamp } of newestFirst.slice(0, 1)) kept.add(stamp);
  for (const { stamp } of newestFirst.filter(({ check }) => check?.ok).slice(0, 3)) kept.add(stamp);
  return [...kept].sort();
}
