// The status page for a terminal: what GET /v1/admin/status says, for people.
import type { Config } from '../../config.ts';
import type { Status } from '../status/status.ts';
import { certificateText } from './certificate-text.ts';
import { ago, backupLines, databaseLine, diskLine } from './status-lines.ts';

const MB = 1e6;

/** throws  when the API of this machine doesn't answer */
export async function askStatus(config: Config): Promise<Status> {
  if (!config.ADMIN_API_KEY) throw new Error('the status needs ADMIN_API_KEY');
  const answer = await fetch(`http://127.0.0.1:${config.PORT}/v1/admin/status`, {
    headers: { 'x-admin-key': config.ADMIN_API_KEY },
    signal: AbortSignal.timeout(30_000),
  }).catch((error: Error & { cause?: { code?: string } }) => {
    throw new Error(error.cause?.code ?? error.message);
  });
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  return (await answer.json()) as Status;
}

/** returns  whether all is well */
export function showStatus(
  status: Status,
  { json, print }: { json: boolean; print: (text: string) => void },
): boolean {
  const { alarms } = status.alarms;
  const well = status.database.ok && alarms.length === 0;
  if (json) {
    print(JSON.stringify(status, null, 2));
    return well;
  }
  const line = (name: string, text: string) => print(`${name.padEnd(12)}${text}`);
  line(
    'release',
    `${status.version} on Node ${status.node}, up ${ago(status.upSeconds / 3600).replace(' ago', '')}`,
  );
  databaseLine(line, status.database);
  backupLines(line, status.backups);
  diskLine(line, status.disk, status.eventsRefused);
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
        : last.state === 'failed' || last.state === 'incomplete'
          ? `${last.state.toUpperCase()} (${last.error})`
          : last.state;
    line('job', `${job.padEnd(20)}${how}${last ? `, ${last.startedAt}` : ''}`);
  }
  for (const alarm of alarms) line('ALARM', `${alarm.severity} since ${alarm.since}: ${alarm.message}`);
  if (alarms.length === 0) line('alarms', 'none');
  return well;
}
