// People who left an address: listed, searched, carried in and out.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Forget } from '../erasure/forget.ts';
import { forgetLapsed } from './lapsed.ts';
import { leadTables } from './tables.ts';

interface LeadJobs {
  db: Pool;
  leads: { hashAddress: (siteId: string, normalized: string) => string };
  forget: Forget;
}

export const leads: Feature<never, LeadJobs> = {
  name: 'leads',
  tables: leadTables,
  endings: ({ db, leads: { hashAddress }, forget }) => ({
    'lapsed leads': forgetLapsed(db, hashAddress, forget),
  }),
};
