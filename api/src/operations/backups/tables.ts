// What backups keep in the database itself.
import type { Tables } from '../../ground/tables.ts';

export const backupTables: Tables = {
  installation: {
    holds: 'the random name of this installation, by which its backups are told from others',
    columns: { pepper_mark: 'digest' },
    kept: { ever: 'one row' },
  },
};
