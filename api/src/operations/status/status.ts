// Everything at a glance, for GET /v1/admin/status, scripts/status and the alarms: gathered in one place, read in one go.
import type { Pool } from '../../ground/db/pool.ts';
import type { Reading } from '../../ground/feature.ts';
import type { JobStatus } from '../../ground/jobs/shape.ts';
import type { BackupSettings } from '../backups/dump.ts';
import { backupStatus } from '../backups/status.ts';
import type { DiskWatch } from '../health/disk.ts';
import { addressesOf, certificateDays, memoryUsedPct } from './machine.ts';
import type { Status } from './shape.ts';

export type { Status } from './shape.ts';

/** Where the rest comes from; absent: not there (yet), which is not a fault. */
export interface Sources {
  jobs?: () => Promise<JobStatus[]>;
  /** What features tell about themselves, in the order of their list. */
  readings?: { reading: Reading; value: () => Promise<unknown> }[];
  alarms?: () => Status['alarms'];
  /** Where our own Caddy is, and the name whose certificate it shows; null: not watched. */
  certificate?: { host: string; port: number; name: string } | null;
}

export interface StatusParts {
  db: Pool;
  backups: BackupSettings;
  disk: DiskWatch;
  version: string;
  sources: Sources;
}

/** Never throws: what can't be read is null or ok false, because this page is for bad days. */
export async function readStatus({ db, backups, disk, version, sources }: StatusParts): Promise<Status> {
  await disk.look();
  const guarded = async <T>(work: Promise<T> | undefined): Promise<T | null> =>
    work ? work.catch(() => null) : null;
  const shown = sources.certificate;
  const [database, jobs, memory, certificate, told] = await Promise.all([
    guarded(aboutDatabase(db)),
    guarded(sources.jobs?.()),
    memoryUsedPct(),
    shown ? aboutCertificate(shown) : null,
    Promise.all(
      (sources.readings ?? []).map(async ({ reading, value }) => ({
        reading,
        value: await guarded(value()),
      })),
    ),
  ]);
  return {
    version,
    node: process.versions.node,
    upSeconds: Math.round(process.uptime()),
    database: database ?? { ok: false },
    backups: await backupStatus(backups),
    disk: disk.fullest(),
    eventsRefused: disk.isShort,
    memory: { rssBytes: process.memoryUsage.rss(), containerUsedPct: memory },
    certificate,
    ...Object.fromEntries(told.map(({ reading, value }) => [reading.name, value])),
    jobs: jobs ?? [],
    alarms: sources.alarms?.() ?? { alarms: [], rules: [] },
    lines: told.flatMap(({ reading, value }) => {
      const text = value === null ? null : (reading.line?.(value) ?? null);
      return text === null ? [] : [{ name: reading.name, text }];
    }),
    carriedAway: told.flatMap(({ reading, value }) =>
      value === null ? [] : (reading.carriedAway?.(value) ?? []),
    ),
  };
}

async function aboutCertificate({
  host,
  port,
  name,
}: NonNullable<Sources['certificate']>): Promise<Status['certificate']> {
  const days = await certificateDays(host, port, name);
  // the usual reason for having none
  if (days === null) return { name, days, pointsTo: await addressesOf(name) };
  return { name, days: Math.floor(days * 10) / 10, pointsTo: [] };
}

async function aboutDatabase(db: Pool): Promise<Status['database']> {
  const { rows } = await db.query<{
    version: string;
    bytes: number;
    connections: number;
    count: number;
    newest: string | null;
    installed_at: Date;
  }>(
    `select current_setting('server_version') as version, pg_database_size(current_database()) as bytes,
            (select count(*) from pg_stat_activity where datname = current_database()) as connections,
            m.count, m.newest, m.installed_at
       from (select count(*) as count, max(name) as newest, min(applied_at) as installed_at
               from schema_migrations where name ~ '^[0-9]{4}_') m`,
  );
  const row = rows[0]!;
  return {
    ok: true,
    version: row.version,
    bytes: row.bytes,
    connections: row.connections,
    migrations: { count: row.count, newest: row.newest },
    installedAt: row.installed_at.toISOString(),
  };
}
