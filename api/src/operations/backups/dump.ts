// Makes a backup: dumped, read back in full, described, encrypted when a key is set; a name only once it is proven.
import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { digestFile } from '../../ground/lib/digest.ts';
import { makeFolder, renameDurably, replaceDurably, syncFile } from '../../ground/lib/durable.ts';
import type { Offsite } from '../../ground/shelf/target.ts';
import { DISK_NO_DUMPS_PCT, diskUse } from '../health/disk.ts';
import { alone } from './alone.ts';
import { encryptFile } from './encrypt.ts';
import { fingerprint, LEFT_OUT } from './fingerprint.ts';
import { installationId, pepperMark } from './installation.ts';
import { type Manifest, makeManifest, manifestOf, setPaths, stampOf, writeManifest } from './manifest.ts';
import { chooseKept, listBackups } from './rotate.ts';
import { BackupError, checkVersions, connect, startTool, type Tools } from './tools.ts';

export interface BackupSettings extends Tools {
  /** Where backups lie; made if absent, readable by us only. */
  folder: string;
  /** age public key; null: not encrypted. */
  recipient: string | null;
  /** Oldest age of a backup in days; 7 daily and 4 weekly ones within it are kept. */
  keptDays: number;
  offsite: Offsite[];
  /** Journal of what was forgotten; copied off the machine with each backup, because a restore elsewhere must forget it too. */
  journal: string;
  /** Secret of the hashes in it; the manifest has a mark of it, so that a restore can tell whether it is the same. */
  pepper: string;
  /** None is made by the clock. */
  off?: boolean;
  /** The release that writes it. */
  version: string;
  now?: () => Date;
}

export interface BackupResult {
  file: string;
  bytes: number;
  tables: number;
  rows: number;
  encrypted: boolean;
  removed: string[];
  ms: number;
}

/**
 * throws  BackupError: disk_short, no_tools, tool_failed, corrupt. Nothing half made stays behind, older backups are untouched.
 * source  design §1, contract §7: 7 daily, 4 weekly, at most 35 days, never fewer than the last three verified
 */
export async function runBackup(settings: BackupSettings): Promise<BackupResult> {
  try {
    const result = await alone(settings, () => makeBackup(settings));
    await keepLast(settings, { ok: true, at: new Date().toISOString(), message: null });
    return result;
  } catch (error) {
    const busy = error instanceof BackupError && error.reason === 'busy';
    // without a word of its own, an unexpected fault is still told by its kind only: its text may quote a row
    const message = error instanceof BackupError ? error.message : `unexpected ${(error as Error).name}`;
    if (!busy) await keepLast(settings, { ok: false, at: new Date().toISOString(), message }).catch(() => {});
    throw error;
  }
}

/** What became of the last try, for the status page and the alarms; it outlives the process. */
export interface LastBackup {
  ok: boolean;
  at: string;
  message: string | null;
}

const lastPath = (folder: string): string => join(folder, 'last.json');
const keepLast = (settings: BackupSettings, last: LastBackup) =>
  replaceDurably(lastPath(settings.folder), `${JSON.stringify(last)}\n`);

export async function lastBackup(folder: string): Promise<LastBackup | null> {
  try {
    return JSON.parse(await readFile(lastPath(folder), 'utf8')) as LastBackup;
  } catch {
    return null;
  }
}

async function makeBackup(settings: BackupSettings): Promise<BackupResult> {
  const begun = performance.now();
  const now = settings.now?.() ?? new Date();
  const { folder } = settings;
  await makeFolder(folder);
  await removeLeftovers(folder);
  const disk = await diskUse(folder);
  if (disk && disk.usedPct >= DISK_NO_DUMPS_PCT)
    throw new BackupError(
      'disk_short',
      `The disk is ${disk.usedPct} % full; from ${DISK_NO_DUMPS_PCT} % on no backup is made here. Free some space, or lower the retention.`,
    );

  const paths = setPaths(folder, stampOf(now));
  const partial = `${paths.dump}.partial`;
  const encryptedPartial = `${paths.encrypted}.partial`;
  let facts: Awaited<ReturnType<typeof dumpTo>>;
  let dump: { bytes: number; sha256: string };
  let written = false;
  try {
    facts = await dumpTo(settings, partial);
    // Back in full: the list of contents alone would not touch the data blocks.
    await startTool(settings, 'pg_restore', ['--file=/dev/null', partial]).done;
    await syncFile(partial);
    dump = await digestFile(partial);
    const common = {
      createdAt: now.toISOString(),
      version: settings.version,
      server: facts.server,
      installation: facts.installation,
      dump,
      content: facts.content,
      ...(facts.consentRoot ? { consentRoot: facts.consentRoot } : {}),
    };
    if (settings.recipient) {
      await encryptFile(partial, encryptedPartial, settings.recipient, dump.sha256);
      await syncFile(encryptedPartial);
      const file = { name: setName(paths.encrypted), ...(await digestFile(encryptedPartial)) };
      await writeManifest(
        paths.encrypted,
        makeManifest({ ...common, file, encryption: 'age' }, settings.pepper),
      );
      await renameDurably(encryptedPartial, paths.encrypted);
    }
    // In the clear it stays on this machine, beside the database it came from, until the next one is made:
    // the nightly restore needs it, and the private key is not here.
    await writeManifest(
      paths.dump,
      makeManifest(
        { ...common, file: { name: setName(paths.dump), ...dump }, encryption: 'none' },
        settings.pepper,
      ),
    );
    await renameDurably(partial, paths.dump);
    written = true;
  } finally {
    if (!written)
      for (const path of [
        partial,
        encryptedPartial,
        manifestOf(paths.dump),
        manifestOf(paths.encrypted),
        paths.encrypted,
      ])
        await rm(path, { force: true });
  }

  const sent = settings.recipient ? paths.encrypted : paths.dump;
  const removed = await rotate(settings, now);
  const { tables } = facts.content;
  return {
    file: setName(sent),
    bytes: (await digestFile(sent)).bytes,
    tables: Object.keys(tables).length,
    rows: Object.values(tables).reduce((sum, table) => sum + Number(table.rows), 0),
    encrypted: settings.recipient !== null,
    removed,
    ms: Math.round(performance.now() - begun),
  };
}

const setName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function dumpTo(settings: BackupSettings, path: string) {
  const client = await connect(settings.ownerUrl);
  try {
    const server = await checkVersions(settings, client);
    // One snapshot for the dump and for the counts, so that they agree while visitors keep coming.
    await client.query('begin isolation level repeatable read read only');
    const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot');
    await startTool(
      settings,
      'pg_dump',
      // zstd 3: half the time of gzip 4, and a tenth smaller; the image's pg_dump has it, as PostgreSQL's own packages do
      [
        '--format=custom',
        '--compress=zstd:3',
        '--lock-wait-timeout=60s',
        ...LEFT_OUT.map((table) => `--exclude-table-data=public.${table}`),
        `--snapshot=${rows[0]!.snapshot}`,
        `--file=${path}`,
      ],
      { url: settings.ownerUrl },
    ).done;
    await chmod(path, 0o600);
    const content = await fingerprint(client);
    const id = await installationId(client);
    if (content.migrations.length === 0 || !id)
      throw new BackupError(
        'foreign',
        'This database has not our migrations, so there is nothing to back up yet.',
      );
    const consentRoot = await lastConsentRoot(client);
    return { server, content, installation: { id, pepper: pepperMark(settings.pepper, id) }, consentRoot };
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * What the job "consent_chains" found last: leaving the machine, it shows later whether the records were rewritten. A run
 * that asked for the root of an earlier moment compared something, and is not the state of this night.
 */
async function lastConsentRoot(client: pg.ClientBase): Promise<Manifest['consentRoot']> {
  const { rows } = await client.query<{ root: string; at: string; records: number }>(
    `select result ->> 'root' as root, result ->> 'rootAt' as at, (result ->> 'records')::int as records from public.job_runs
     where job = 'consent_chains' and state = 'succeeded' and result ->> 'root' is not null
       and options ->> 'at' is null order by started_at desc limit 1`,
  );
  return rows[0];
}

/** What a killed backup left; nobody else writes here (the job runs alone). */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith('marketing-') && name.endsWith('.partial'))
      await rm(join(folder, name), { force: true });
}

async function rotate(settings: BackupSettings, now: Date): Promise<string[]> {
  const all = await listBackups(settings.folder);
  const kept = new Set(chooseKept(all, now, settings.keptDays));
  const newest = all.at(-1)?.stamp;
  const removed: string[] = [];
  for (const { stamp, encrypted } of all) {
    const paths = setPaths(settings.folder, stamp);
    if (!kept.has(stamp)) {
      const files = [
        paths.dump,
        manifestOf(paths.dump),
        paths.encrypted,
        manifestOf(paths.encrypted),
        paths.check,
      ];
      for (const path of files) await rm(path, { force: true });
      removed.push(stamp);
    } else if (encrypted && stamp !== newest) {
      await rm(paths.dump, { force: true });
      await rm(manifestOf(paths.dump), { force: true });
    }
  }
  return removed;
}
