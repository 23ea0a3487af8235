// From the configuration to what the archive needs; a half-configured bucket is a fault that stops the start.
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { S3Target } from '../../ground/shelf/target.ts';

export interface ArchiveSettings {
  target: S3Target;
  /** Where it lies, in the words of DATA_REGION; null: nobody said. */
  region: string | null;
  /** A folder of this machine to work in. */
  folder: string;
  /** What was forgotten (consent/forget-journal.ts). */
  journal: string;
}

const withoutSlash = (url: string) => url.replace(/\/+$/, '');

/**
 * returns  null: nothing is archived
 * throws   an Error naming the settings that are missing, or at odds
 */
export function archiveSettings(config: Config): ArchiveSettings | null {
  const url = config.ARCHIVE_S3_URL;
  if (!url) return null;
  const missing: string[] = [];
  const needed = (name: keyof Config): string => {
    const value = config[name];
    if (!value) missing.push(name);
    return String(value ?? '');
  };
  const accessKeyId = needed('ARCHIVE_S3_ACCESS_KEY_ID');
  const secretAccessKey = needed('ARCHIVE_S3_SECRET_ACCESS_KEY');
  // where people's data lies is a question of law, so with a region of our own the bucket says its
  if (config.DATA_REGION) needed('ARCHIVE_S3_DATA_REGION');
  if (missing.length > 0)
    throw new Error(`The archive is configured by halves; set ${missing.join(' and ')} too.`);
  if (config.DATA_REGION && config.ARCHIVE_S3_DATA_REGION !== config.DATA_REGION)
    throw new Error(
      `The archive would lie in ${config.ARCHIVE_S3_DATA_REGION}, and the data of the sites has to be in ${config.DATA_REGION} (DATA_REGION). Name a bucket that is there.`,
    );
  if (config.BACKUP_S3_URL && withoutSlash(config.BACKUP_S3_URL) === withoutSlash(url))
    throw new Error(
      'ARCHIVE_S3_URL and BACKUP_S3_URL name the same folder. Give the archive one of its own: …/bucket/archive.',
    );
  return {
    target: {
      kind: 's3',
      url,
      region: config.ARCHIVE_S3_REGION,
      accessKeyId,
      secretAccessKey,
    },
    region: config.ARCHIVE_S3_DATA_REGION ?? null,
    folder: join(config.DATA_DIR, 'archive'),
    journal: join(config.DATA_DIR, 'journal', 'forgotten.ndjson'),
  };
}
