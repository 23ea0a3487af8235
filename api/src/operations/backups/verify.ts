// Restores the newest backup into a scratch database and compares it with what was dumped, table by table.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../../ground/lib/durable.ts';
import { DISK_NO_DUMPS_PCT, diskUse } from '../health/disk.ts';
import { alone } from './alone.ts';
import type { BackupSettings } from './dump.ts';
import { differences, type Fingerprint, fingerprint } from './fingerprint.ts';
import { checkFile, readManifest, setPaths } from './manifest.ts';
import { type Check, listBackups } from './rotate.ts';
import { refuseUnsigned } from './signature.ts';
import { BackupError, connect, databaseUrl, quoted, startTool, type Tools } from './tools.ts';

const SCRATCH = /^marketing_check_[0-9a-z]+$/;

export interface VerifyResult extends Check {
  file: string;
  tables: number;
}

/**
 * Memory stays bounded: pg_restore streams, one job, index builds with 32 MB.
 * returns  what was compared; ok false names the differences
 * throws   BackupError: no_backup, disk_short, no_tools, corrupt, tool_failed; the failure is also kept beside the backup
 */
export function verifyBackup(settings: BackupSettings): Promise<VerifyResult> {
  return alone(settings, () => tryBackup(settings));
}

async function tryBackup(settings: BackupSettings): Promise<VerifyResult> {
  const begun = performance.now();
  const at = (settings.now?.() ?? new Date()).toISOString();
  const newest = (await listBackups(settings.folder)).at(-1);
  if (!newest) throw new BackupError('no_backup', 'There is no backup yet; run the job "backup" first.');
  const paths = setPaths(settings.folder, newest.stamp);
  const keep = async (check: Check) => {
    await replaceDurably(paths.check, `${JSON.stringify(check)}\n`);
    await rm(skippedPath(settings.folder), { force: true });
  };
  try {
    if (!newest.plain)
      throw new BackupError(
        'no_backup',
        'The newest backup is only there encrypted, so it cannot be tried here; run the job "backup" first.',
      );
    const manifest = await readManifest(paths.dump);
    refuseUnsigned(manifest, settings.pepper, false);
    await checkFile(paths.dump, manifest.file);
    await enoughDisk(settings);
    const content = await restoreInto(settings, paths.dump, manifest.content);
    const check = {
      ok: content.problems.length === 0,
      at,
      ms: Math.round(performance.now() - begun),
      problems: content.problems,
    };
    await keep(check);
    return { ...check, file: manifest.file.name, tables: Object.keys(manifest.content.tables).length };
  } catch (error) {
    const skipped = error instanceof BackupError && error.reason === 'disk_short';
    // A skipped check says nothing against the backup, but someone has to know.
    if (skipped)
      await replaceDurably(
        skippedPath(settings.folder),
        `${JSON.stringify({ at, message: error.message })}\n`,
      ).catch(() => {});
    else
      await keep({
        ok: false,
        at,
        ms: Math.round(performance.now() - begun),
        problems: [(error as Error).message],
      }).catch(() => {});
    throw error;
  }
}

const skippedPath = (folder: string): string => join(folder, 'skipped.json');

/** When and why the last trial restore did not take place; null when it did. */
export async function skippedCheck(folder: string): Promise<{ at: string; message: string } | null> {
  try {
    return JSON.parse(await readFile(skippedPath(folder), 'utf8')) as { at: string; message: string };
  } catch {
    return null;
  }
}

async function enoughDisk(settings: BackupSettings): Promise<void> {
  const client = await connect(settings.ownerUrl);
  try {
    const { rows } = await client.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    );
    const disk = await diskUse(settings.folder);
    // The copy, and a fifth more for the log of writing it.
    const needed = Number(rows[0]!.bytes) * 1.2;
    if (disk && (disk.totalBytes - disk.freeBytes + needed) / disk.totalBytes > DISK_NO_DUMPS_PCT / 100)
      throw new BackupError(
        'disk_short',
        `The nightly restore was skipped: it needs ${Math.ceil(needed / 1e6)} MB, and that would fill the disk above ${DISK_NO_DUMPS_PCT} %.`,
      );
  } finally {
    await client.end().catch(() => {});
  }
}

async function restoreInto(
  tools: Tools,
  dump: string,
  expected: Fingerprint,
): Promise<{ problems: string[] }> {
  const server = await connect(databaseUrl(tools.ownerUrl, 'postgres'));
  const scratch = `marketing_check_${Date.now().toString(36)}`;
  try {
    const { rows } = await server.query<{ datname: string }>('select datname from pg_database');
    // left by a check that was killed; only one runs at a time
    for (const { datname } of rows)
      if (SCRATCH.test(datname))
        await server.query(`drop database if exists ${quoted(datname)} with (force)`);
    await server.query(`create database ${quoted(scratch)} template template0`);
    const url = databaseUrl(tools.ownerUrl, scratch);
    await restoreDump(tools, dump, url);
    const client = await connect(url);
    try {
      return { problems: differences(expected, await fingerprint(client)) };
    } finally {
      await client.end().catch(() => {});
    }
  } finally {
    await server.query(`drop database if exists ${quoted(scratch)} with (force)`).catch(() => {});
    await server.end().catch(() => {});
  }
}

/** Any error ends it; nothing is half restored unseen. */
export async function restoreDump(tools: Tools, dump: string, url: string): Promise<void> {
  await startTool(tools, 'pg_restore', ['--exit-on-error', '--no-owner', dump], { url }).done;
}
