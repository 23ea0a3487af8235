// The status when the API does not answer: what the database, the backups and the disk say by themselves, and what to do.
import { join } from 'node:path';
import { ConfigError } from '../../config.ts';
import { releaseOf } from '../../ground/lib/version.ts';
import { recall } from '../alerts/watch.ts';
import { migrationsDone } from '../backups/fingerprint.ts';
import { backupSettings } from '../backups/settings.ts';
import { backupStatus } from '../backups/status.ts';
import { connect } from '../backups/tools.ts';
import { DISK_NO_EVENTS_PCT, fullestDisk } from '../health/disk.ts';
import { settings } from './settings.ts';
import { backupLines, databaseLine, diskLine, type Line } from './status-lines.ts';

/** why  in words, that the API does not answer. Never throws: this is for bad days */
export async function showOffline(
  { json, print, why }: { json: boolean; print: (text: string) => void; why: string },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const found = await gather(environment);
  if (json) {
    print(JSON.stringify({ ok: false, api: { answers: false, why }, ...found }, null, 2));
    return;
  }
  const line: Line = (name, text) => print(`${name.padEnd(12)}${text}`);
  line('release', `${found.version}; the API DOES NOT ANSWER (${why})`);
  for (const fault of found.settings) line('settings', fault);
  databaseLine(line, found.database);
  backupLines(line, found.backups);
  diskLine(line, found.disk, (found.disk?.usedPct ?? 0) >= DISK_NO_EVENTS_PCT);
  for (const { id, since, message, severity } of found.alarms)
    line('ALARM', `${severity} since ${since}: ${id}: ${message} (as last seen)`);
  line('hint', hintFor(found));
}

type Found = Awaited<ReturnType<typeof gather>>;

function hintFor({ settings, database, disk }: Found): string {
  if (settings.length > 0) return 'correct the lines above in .env (scripts/set), then: docker compose up -d';
  if (!database.ok) return 'the database first: scripts/logs postgres';
  if ((disk?.usedPct ?? 0) >= DISK_NO_EVENTS_PCT) return 'make room on the disk; see docs/running.md';
  return 'scripts/logs api says why; docker compose up -d starts it; scripts/restore puts a backup in its place';
}

async function gather(environment: NodeJS.ProcessEnv) {
  const faults: string[] = [];
  const folder = environment.DATA_DIR || '.data';
  let backups: Pick<ReturnType<typeof backupSettings>, 'folder' | 'offsite'> = {
    folder: join(folder, 'backups'),
    offsite: [],
  };
  let url = '';
  try {
    const config = settings();
    url = config.DATABASE_URL;
    backups = backupSettings(config);
  } catch (error) {
    const [first = '', ...others] = (error as Error).message.split('\n');
    faults.push(
      ...(error instanceof ConfigError ? others.map((each) => each.replace(/^ *- /, '')) : [first]),
    );
  }
  const disks = [folder, ...(environment.DISK_PATHS ?? '').split(',').filter(Boolean)];
  return {
    version: releaseOf(environment),
    settings: faults,
    database: url ? await asked(url) : { ok: false as const },
    backups: await backupStatus(backups),
    disk: await fullestDisk(disks),
    alarms: Object.entries((await recall(folder)).alarms).map(([id, alarm]) => ({ id, ...alarm })),
  };
}

async function asked(url: string) {
  try {
    const client = await connect(url, 5000);
    try {
      const { rows } = await client.query<{ version: string; bytes: string; connections: string }>(
        `select current_setting('server_version') as version, pg_database_size(current_database()) as bytes,
                (select count(*) from pg_stat_activity where datname = current_database()) as connections`,
      );
      const { version, bytes, connections } = rows[0]!;
      const names = await migrationsDone(client);
      return {
        ok: true as const,
        version,
        bytes: Number(bytes),
        connections: Number(connections),
        migrations: { count: names.length, newest: names.at(-1) ?? null },
      };
    } finally {
      await client.end().catch(() => {});
    }
  } catch {
    return { ok: false as const };
  }
}
