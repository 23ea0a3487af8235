// From the configuration to what backups need; a half-configured target is a fault that stops the start.
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Offsite } from '../../ground/shelf/target.ts';
import type { BackupSettings } from './dump.ts';

export const backupFolder = ({ DATA_DIR }: Pick<Config, 'DATA_DIR'>): string => join(DATA_DIR, 'backups');

/** throws  an Error naming the settings that are missing */
export function backupSettings(config: Config): BackupSettings {
  const offsite: Offsite[] = [];
  const missing: string[] = [];
  const needed = (name: keyof Config): string => {
    const value = config[name];
    if (!value) missing.push(name);
    return String(value ?? '');
  };
  // where copies lie is a question of law, so with a region of our own each says its
  if (config.DATA_REGION && config.BACKUP_S3_URL) needed('BACKUP_S3_DATA_REGION');
  if (config.DATA_REGION && config.BACKUP_SSH_URL) needed('BACKUP_SSH_DATA_REGION');
  if (config.BACKUP_S3_URL)
    offsite.push({
      kind: 's3',
      url: config.BACKUP_S3_URL,
      region: config.BACKUP_S3_REGION,
      accessKeyId: needed('BACKUP_S3_ACCESS_KEY_ID'),
      secretAccessKey: needed('BACKUP_S3_SECRET_ACCESS_KEY'),
    });
  if (config.BACKUP_SSH_URL)
    offsite.push({
      kind: 'ssh',
      url: config.BACKUP_SSH_URL,
      privateKey: needed('BACKUP_SSH_KEY'),
      hostKeySha256: needed('BACKUP_SSH_HOST_KEY'),
    });
  if (missing.length > 0)
    throw new Error(`Copies of backups are configured by halves; set ${missing.join(' and ')} too.`);
  return {
    ownerUrl: config.DATABASE_URL,
    pgBin: config.BACKUP_PG_BIN ?? null,
    folder: backupFolder(config),
    recipient: config.BACKUP_PUBLIC_KEY ?? null,
    keptDays: config.BACKUP_RETENTION_DAYS,
    offsite,
    journal: join(config.DATA_DIR, 'journal', 'forgotten.ndjson'),
    pepper: config.IP_HASH_PEPPER,
    off: config.BACKUPS === 'off',
    version: config.version,
  };
}
