// What most verbs begin with: the settings of this machine, and what backups need of them.
import { type Config, readConfig } from '../../config.ts';
import type { BackupSettings } from '../backups/dump.ts';
import { backupSettings } from '../backups/settings.ts';

export const settings = (): Config => readConfig(process.env);
export const backups = (): BackupSettings => backupSettings(settings());
