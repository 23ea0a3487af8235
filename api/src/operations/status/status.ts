// Everything at a glance, for GET /v1/admin/status, scripts/status and the alarms: gathered in one place, read in one go.
import type { Pool } from '../../ground/db/pool.ts';
import type { JobStatus } from '../../ground/jobs/shape.ts';
import type { BackupSettings } from '../backups/dump.ts';
import { backupStatus } from '../backups/status.ts';
import type { DiskWatch } from '../health/disk.ts';
import { certificateDays, memoryUsedPct } from './machine.ts';
import type { Status } from './shape.ts';

export type { Status } from './shape.ts';

/** What other features tell about themselves; null: not there (yet), which is not a fault. */
export interface Sources {
  jobs?: () => Promise<JobStatus[]>;
  rollup?: (db: Pool) => Promise<Status['rollup']>;
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
  const [database, ledger, visitors, rollup, jobs, memory, days] = await Promise.all([
    guarded(aboutDatabase(db)),
    guarded(aboutLedger(db)),
    guarded(aboutVisitors(db)),
    guarded(sources.rollup?.(db)),
    guarded(sources.jobs?.()),
    memoryUsedPct(),
    shown ? certificateDays(shown.host, shown.port, shown.name) : null,
  ]);
  return {
    version,
    node: process.versions.node,
    upSeconds: Math.round(process.uptime()),
    database: database ?? { ok: false },
    backups: await backupStatus(backups.folder),
    disk: disk.fullest(),
    eventsRefused: disk.refusesEvents(),
    memory: { rssBytes: process.memoryUsage.rss(), containerUsedPct: memory },
    certificate: shown ? { name: shown.name, days: days === null ? null : Math.floor(days * 10) / 10 } : null,
    ledger,
    visitors,
    rollup,
    jobs: jobs ?? [],
    alarms: sources.alarms?.() ?? { alarms: [], rules: [] },
  };
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

// Across all sites: numbers only, and the sites are named to row level security one transaction long.
async function acrossSites<T extends object>(db: Pool, sql: string): Promise<T[]> {
  const client = await db.connect();
  try {
    await client.query('begin read only');
    await client.query(
      `select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true)`,
    );
    const { rows } = await client.query<T>(sql);
    await client.query('commit');
    return rows;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** Today's ledger, and how many site days of the last week do not balance. */
async function aboutLedger(db: Pool): Promise<Status['ledger']> {
  const rows = await acrossSites<NonNullable<Status['ledger']>>(
    db,
    `with days as (
       select site_id, day,
              coalesce(sum(count) filter (where outcome = 'received'), 0) as received,
              coalesce(sum(count) filter (where outcome = 'accepted'), 0) as accepted,
              coalesce(sum(count) filter (where outcome = 'duplicate'), 0) as duplicate,
              coalesce(sum(count) filter (where outcome = 'rejected'), 0) as rejected
         from ingest_ledger where day > (now() at time zone 'UTC')::date - 7 group by 1, 2)
     select to_char((now() at time zone 'UTC')::date, 'YYYY-MM-DD') as day,
            coalesce(sum(received) filter (where today), 0)::float as received,
            coalesce(sum(accepted) filter (where today), 0)::float as accepted,
            coalesce(sum(duplicate) filter (where today), 0)::float as duplicate,
            coalesce(sum(rejected) filter (where today), 0)::float as rejected,
            count(*) filter (where received <> accepted + duplicate + rejected)::int as unbalanced
       from (select *, day = (now() at time zone 'UTC')::date as today from days) d`,
  );
  return rows[0] ?? null;
}

/** Of the last hour: if everyone seems to come from one address, a proxy in front hides who they are. */
async function aboutVisitors(db: Pool): Promise<Status['visitors']> {
  const rows = await acrossSites<NonNullable<Status['visitors']>>(
    db,
    `select count(*)::int as count, count(distinct ip_hash)::int as addresses, count(distinct ua_hash)::int as browsers
       from visitors where ip_hash is not null and last_seen_at > now() - interval '1 hour'`,
  );
  return rows[0] ?? null;
}
