// Lines of scripts/status that can be told with the API and without it.
import type { Status } from '../status/status.ts';

const MB = 1e6;
export type Line = (name: string, text: string) => void;

export const ago = (hours: number): string =>
  hours < 1
    ? `${Math.round(hours * 60)} min ago`
    : hours < 48
      ? `${Math.round(hours)} h ago`
      : `${Math.round(hours / 24)} days ago`;

type Database = Pick<Status['database'], 'ok' | 'version' | 'bytes' | 'migrations' | 'connections'>;

export function databaseLine(line: Line, database: Database): void {
  line(
    'database',
    database.ok
      ? `PostgreSQL ${database.version}, ${Math.round((database.bytes ?? 0) / MB)} MB, ${database.migrations?.newest ?? 'no migrations'}, ${database.connections} connections`
      : 'does not answer',
  );
}

export function backupLines(line: Line, backups: Status['backups']): void {
  const { newest, last, count, lastCheck, skippedCheck } = backups;
  const failed = last && !last.ok ? last.message : null;
  line(
    'backup',
    newest
      ? `${newest.name}, ${ago(newest.ageHours)}; ${count} in all${failed ? `; the last try failed: ${failed}` : ''}`
      : `none yet${failed ? `: ${failed}` : ''}`,
  );
  line(
    'restored',
    (lastCheck
      ? `${lastCheck.ok ? 'equal, table by table' : `NOT equal: ${lastCheck.problems[0]}`}, ${ago(lastCheck.ageHours)}, in ${(lastCheck.ms / 1000).toFixed(1)} s`
      : 'not tried yet') + (skippedCheck ? `; ${skippedCheck.message}` : ''),
  );
  for (const { target, message, copies, proven, newestAgeHours } of backups.offsite) {
    const newestThere = newestAgeHours === null ? 'none there' : `the newest ${ago(newestAgeHours)}`;
    const lies =
      copies === null ? 'not asked' : `${copies} copies, ${proven} restored on trial, ${newestThere}`;
    line('elsewhere', `${target}: ${lies}${message ? `; FAILED: ${message}` : ''}`);
  }
}

export function diskLine(line: Line, disk: Status['disk'], eventsRefused: boolean): void {
  line(
    'disk',
    disk
      ? `${disk.usedPct} % used, ${Math.round(disk.freeBytes / MB)} MB free${eventsRefused ? ': EVENTS ARE REFUSED' : ''}`
      : 'unknown',
  );
}
