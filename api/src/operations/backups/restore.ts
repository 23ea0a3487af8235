// Puts a backup in the place of the database: checked before anything is touched, the old one kept until the new one is proven.
import { rm } from 'node:fs/promises';
import { noteRestore } from '../../product/notes/machine.ts';
import { diskUse } from '../health/disk.ts';
import type { BackupSettings } from './dump.ts';
import { decryptFile } from './encrypt.ts';
import { differences, fingerprint, migrationsDone } from './fingerprint.ts';
import { nameInstallation } from './installation.ts';
import { checkFile, type Manifest, readManifest } from './manifest.ts';
import { forgetPepper } from './pepper.ts';
import { change, dropHalfRestored, nameFor } from './put-aside.ts';
import { refuseUnsigned } from './signature.ts';
import {
  BackupError,
  checkVersions,
  connect,
  databaseName,
  databaseUrl,
  quoted,
  startTool,
} from './tools.ts';
import { restoreDump } from './verify.ts';
import { ownName, refuseForeign } from './whose.ts';

export interface RestoreSettings extends BackupSettings {
  /** Path of the backup; its manifest lies beside it. */
  file: string;
  /** age private key, for an encrypted backup. */
  identity: string | null;
  /** Names of the migrations this release knows. */
  knownMigrations: string[];
  /** Brings a restored older schema up to this release. */
  migrate: (url: string) => Promise<void>;
  /** Erasures and withdrawals since the backup (an instant) happen again. returns  a sentence for the operator */
  replayJournal: (url: string, since: string) => Promise<string>;
  /** It may be another installation's. */
  fromAnother: boolean;
  say: (text: string) => void;
}

/**
 * Everything that can be known about a backup without touching a database.
 * returns  the manifest and the path of the dump in the clear (a temporary file when it was encrypted)
 * throws   corrupt, foreign, newer_schema, wrong_key, no_backup
 */
export async function inspectBackup(
  settings: Pick<
    RestoreSettings,
    'file' | 'identity' | 'knownMigrations' | 'pgBin' | 'ownerUrl' | 'pepper' | 'fromAnother'
  >,
): Promise<{ manifest: Manifest; dump: string; temporary: boolean }> {
  const { file } = settings;
  const manifest = await readManifest(file);
  // before any tool opens what it describes
  refuseUnsigned(manifest, settings.pepper, settings.fromAnother);
  await checkFile(file, manifest.file);
  const unknown = manifest.content.migrations.filter((name) => !settings.knownMigrations.includes(name));
  if (unknown.length > 0)
    throw new BackupError(
      'newer_schema',
      `The backup was made by release ${manifest.version}, whose schema this release does not know (${unknown.slice(0, 3).join(', ')}). ` +
        'Restore it with that release or a later one.',
    );
  let dump = file;
  let temporary = false;
  try {
    if (manifest.encryption === 'age') {
      if (!settings.identity)
        throw new BackupError('wrong_key', 'The backup is encrypted; give the private key that opens it.');
      dump = `${file}.opened.partial`;
      temporary = true;
      await decryptFile(file, dump, settings.identity);
      await checkFile(dump, manifest.dump, 'The decrypted backup');
    }
    await startTool(settings, 'pg_restore', ['--file=/dev/null', dump]).done;
  } catch (error) {
    if (temporary) await rm(dump, { force: true });
    if (error instanceof BackupError && error.reason === 'tool_failed')
      throw new BackupError(
        'corrupt',
        `The backup is damaged: it cannot be read to its end. ${error.message}`,
      );
    throw error;
  }
  return { manifest, dump, temporary };
}

/**
 * The API must not be running; scripts/restore sees to that.
 * The two renames are one transaction, so at every moment there is exactly one database of that name.
 * returns  the name under which the old database is kept; dropPutAside drops it, undoRestore puts it back
 */
export async function restoreBackup(settings: RestoreSettings): Promise<{ old: string; manifest: Manifest }> {
  const { say } = settings;
  say('checking the backup');
  const { manifest, dump, temporary } = await inspectBackup(settings);
  say(
    `made ${manifest.createdAt} by release ${manifest.version}, ${Object.keys(manifest.content.tables).length} tables, not damaged`,
  );
  for (const sentence of await refuseForeign(settings, manifest, settings.fromAnother).catch(
    async (error) => {
      if (temporary) await rm(dump, { force: true });
      throw error;
    },
  ))
    say(sentence);
  const name = manifest.installation ? null : await ownName(settings.ownerUrl);
  const live = databaseName(settings.ownerUrl);
  const at = settings.now?.() ?? new Date();
  const fresh = nameFor('restore', at);
  const old = nameFor('before', at);
  const freshUrl = databaseUrl(settings.ownerUrl, fresh);
  const server = await connect(databaseUrl(settings.ownerUrl, 'postgres'));
  try {
    await checkVersions(settings, server);
    // before the disk is looked at, which is what they may have filled
    await dropHalfRestored(server);
    await enoughDisk(settings, manifest);
    try {
      say('restoring beside the running database');
      // The dump grants rights to this role; on a new server the first migration has not made it yet.
      await server.query(`do $$ begin
        if not exists (select from pg_roles where rolname = 'marketing_app') then
          create role marketing_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
        end if; end $$`);
      await server.query(`create database ${quoted(fresh)} template template0`);
      await restoreDump(settings, dump, freshUrl);
      const client = await connect(freshUrl);
      try {
        const problems = differences(manifest.content, await fingerprint(client));
        if (problems.length > 0)
          throw new BackupError(
            'differs',
            `What was restored is not what was backed up: ${problems.join('; ')}.`,
          );
        await client.query('analyze');
      } finally {
        await client.end().catch(() => {});
      }
      say('every table has the rows and the checksum it had');
      await settings.migrate(freshUrl);
      await finishRestored(freshUrl, name, manifest.createdAt);
      say(await settings.replayJournal(freshUrl, manifest.createdAt));
      await change(server, { live, aside: old, next: fresh });
    } catch (error) {
      await server.query(`drop database if exists ${quoted(fresh)} with (force)`).catch(() => {});
      throw error;
    }
    say(
      `the restored database is in place; the one before it is kept as ${old} until the API is healthy again`,
    );
    return { old, manifest };
  } finally {
    await server.end().catch(() => {});
    if (temporary) await rm(dump, { force: true });
  }
}

/**
 * A backup from before installations had names goes on under the name that this one has; and with this one's pepper, of which
 * whoever restores was told when it is another. The numbers say from then on which days a backup gave them.
 */
async function finishRestored(url: string, name: string | null, madeAt: string): Promise<void> {
  const client = await connect(url);
  try {
    if (name) await nameInstallation(client, name);
    await forgetPepper(client);
    await noteRestore(client, madeAt);
  } finally {
    await client.end().catch(() => {});
  }
}

async function enoughDisk(settings: RestoreSettings, manifest: Manifest): Promise<void> {
  const disk = await diskUse(settings.folder);
  // A custom-format dump is 5-10 times smaller than the tables and indexes it becomes.
  const needed = manifest.dump.bytes * 8;
  if (disk && disk.freeBytes < needed)
    throw new BackupError(
      'disk_short',
      `Restoring beside the running database needs about ${Math.ceil(needed / 1e6)} MB, and only ${Math.floor(disk.freeBytes / 1e6)} MB are free.`,
    );
}

/** The migrations a running database has seen; scripts/upgrade compares it with what an image brings. */
export async function schemaOf(ownerUrl: string): Promise<string[]> {
  const client = await connect(ownerUrl);
  try {
    return await migrationsDone(client);
  } finally {
    await client.end().catch(() => {});
  }
}
