// What an operator wants to know about backups at a glance.

import { nameOf, type Offsite } from '../../ground/shelf/target.ts';
import { lastBackup } from './dump.ts';
import { type Kept, keptBrought } from './offsite.ts';
import { type Check, listBackups } from './rotate.ts';
import { skippedCheck } from './verify.ts';

export interface BackupStatus {
  count: number;
  newest: { name: string; at: string; ageHours: number; encrypted: boolean; check: Check | null } | null;
  /** The newest one that was restored on trial and found equal. */
  lastVerified: { at: string; ageHours: number; ms: number } | null;
  /** The last trial restore, good or not; skipped ones leave none. */
  lastCheck: { ok: boolean; at: string; ageHours: number; ms: number; problems: string[] } | null;
  /** Why the last trial restore did not take place; null when it did. */
  skippedCheck: { at: string; message: string } | null;
  last: Awaited<ReturnType<typeof lastBackup>>;
  /** Of each place that copies are brought to, what the last run found; empty when none is set up, or before the first run. */
  offsite: (Omit<Kept, 'known'> & { newestAgeHours: number | null })[];
}

const HOUR_MS = 3_600_000;

export async function backupStatus(
  { folder, offsite }: { folder: string; offsite: readonly Offsite[] },
  now = new Date(),
): Promise<BackupStatus> {
  const sets = await listBackups(folder);
  const hoursSince = (at: string | Date) =>
    Math.round(((now.getTime() - new Date(at).getTime()) / HOUR_MS) * 10) / 10;
  const newest = sets.at(-1);
  const checks = sets
    .flatMap(({ check }) => (check ? [check] : []))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const good = checks.findLast(({ ok }) => ok);
  const last = checks.at(-1);
  return {
    count: sets.length,
    newest: newest
      ? {
          name: `marketing-${newest.stamp}.dump${newest.encrypted ? '.age' : ''}`,
          at: newest.at.toISOString(),
          ageHours: hoursSince(newest.at),
          encrypted: newest.encrypted,
          check: newest.check,
        }
      : null,
    lastVerified: good ? { at: good.at, ageHours: hoursSince(good.at), ms: good.ms } : null,
    lastCheck: last ? { ...last, ageHours: hoursSince(last.at) } : null,
    skippedCheck: await skippedCheck(folder),
    last: await lastBackup(folder),
    offsite: (await keptBrought(folder))
      .filter(({ target }) => offsite.some((one) => nameOf(one) === target))
      .map(({ known, ...one }) => ({ ...one, newestAgeHours: one.newest ? hoursSince(one.newest) : null })),
  };
}
