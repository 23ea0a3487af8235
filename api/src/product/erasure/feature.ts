// What a person may ask for: everything held about them, and its erasure.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Tables } from '../../ground/tables.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { leadEndings } from './ends.ts';
import type { Forget } from './forget.ts';
import { rightsRoutes } from './rights-routes.ts';
import { type ErasureNeeds, erasureRoutes } from './routes.ts';
import { erasureTables } from './tables.ts';

interface House extends Pick<ErasureNeeds, 'db' | 'sites' | 'forget' | 'forgetBrowser' | 'tables'> {
  config: { PUBLIC_URL?: string | undefined; BACKUP_RETENTION_DAYS: number };
  leads: Pick<ErasureNeeds, 'hashAddress' | 'journal'>;
}

interface ErasureWork {
  db: Pool;
  leads: Pick<ErasureNeeds, 'hashAddress'>;
  forget: Forget;
  /** Of all features. */
  tables: Tables;
}

export const erasure: Feature<House, ErasureWork> = {
  name: 'erasure',
  functions: [new URL('lead_end.sql', import.meta.url)],
  tables: erasureTables,
  routes: ({ config, leads: { hashAddress, journal }, ...house }) => [
    ...erasureRoutes({
      ...house,
      hashAddress,
      journal,
      publicUrl: config.PUBLIC_URL,
      backupDays: config.BACKUP_RETENTION_DAYS,
    }),
    ...certificateRoutes({ db: house.db, backupDays: config.BACKUP_RETENTION_DAYS }),
    ...rightsRoutes({ db: house.db, hashAddress }),
  ],
  endings: ({ db, tables, leads: { hashAddress }, forget }) =>
    leadEndings({ db, tables, hashAddress, forget }),
};
