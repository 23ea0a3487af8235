// The status page for a terminal: what GET /v1/admin/status says, for people.
import type { Config } from '../../config.ts';
import type { Status } from '../status/status.ts';
import { certificateText } from './certificate-text.ts';

const MB = 1e6;
const ago = (hours: number): string =>
  hours < 1
    ? `${Math.round(hours * 60)} min ago`
    : hours < 48
      ? `${Math.round(hours)} h ago`
      : `${Math.round(hours / 24)} days ago`;

/** returns  whether all is well; throws when the API of this machine doesn't answer */
export async function showStatus(
  config: Config,
  { json, print }: { json: boolean; print: (text: string) => void },
): Promise<boolean> {
  if (!config.ADMIN_API_KEY) throw new Error('The status needs ADMIN_API_KEY.');
  const answer = await fetch(`http://127.0.0.1:${config.PORT}/v1/admin/status`, {
    headers: { 'x-admin-key': config.ADMIN_API_KEY },
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`The API answered ${answer.status}; see its log.`);
  const status = (await answer.json()) as Status;
  const { alarms } = status.alarms;
  const well = status.database.ok && alarms.length === 0;
  if (json) {
    print(JSON.stringify(status, null, 2));
    return well;
  }
  const { database, backups, disk } = status;
  const line = (name: string, text: string) => print(`${name.padEnd(12)}${text}`);
  line(
    'release',
    `${status.version} on Node ${status.node}, up ${ago(status.upSeconds / 3600).replace(' ago', '')}`,
  );
  line(
    'database',
    database.ok
      ? `PostgreSQL ${database.version}, ${Math.round((database.bytes ?? 0) / MB)} MB, ${database.migrations?.newest ?? 'no migrations'}, ${database.connections} connections`
      : 'does not answer',
  );
  line(
    'backup',
    backups.newest
      ? `${backups.newest.name}, ${ago(backups.newest.ageHours)}; ${backups.count} in all${backups.last && !backups.last.ok ? `; the last try failed: ${backups.last.message}` : ''}`
      : `none yet${backups.last && !backups.last.ok ? `: ${backups.last.message}` : ''}`,
  );
  line(
    'restored',
    (backups.lastCheck
      ? `${backups.lastCheck.ok ? 'equal, table by table' : `NOT equal: ${backups.lastCheck.problems[0]}`}, ${ago(backups.lastCheck.ageHours)}, in ${(backups.lastCheck.ms / 1000).toFixed(1)} s`
      : 'not tried yet') + (backups.skippedCheck ? `; ${backups.skippedCheck.message}` : ''),
  );
  line(
    'disk',
    disk
      ? `${disk.usedPct} % used, ${Math.round(disk.freeBytes / MB)} MB free${status.eventsRefused ? ': EVENTS ARE REFUSED' : ''}`
      : 'unknown',
  );
  line(
    'memory',
    `${Math.round(status.memory.rssBytes / MB)} MB resident${status.memory.containerUsedPct === null ? '' : `, ${status.memory.containerUsedPct} % of the container's limit`}`,
  );
  if (status.certificate)
    line('certificate', `${status.certificate.name}: ${certificateText(status.certificate)}`);
  for (const { name, text } of status.lines) line(name, text);
  for (const { job, last, stuck, cron } of status.jobs) {
    // what runs every minute is only worth a line when it doesn't
    if (cron?.startsWith('* ') && last?.state === 'succeeded' && !stuck) continue;
    const how = stuck
      ? 'STUCK'
      : last === null
        ? 'not yet'
        : last.state === 'failed'
          ? `FAILED (${last.error})`
          : last.state;
    line('job', `${job.padEnd(16)}${how}${last ? `, ${last.startedAt}` : ''}`);
  }
  for (const alarm of alarms) line('ALARM', `${alarm.severity} since ${alarm.since}: ${alarm.message}`);
  if (alarms.length === 0) line('alarms', 'none');
  return well;
}
