// What was agreed to or withdrawn, when, in which words; the pages and links for it.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { consentJobs, endProof } from './jobs.ts';
import { consentTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

export const consent: Feature<never, { db: Pool; sites: Sites }> = {
  name: 'consent',
  functions: [sql('record_consent.sql'), sql('withdraw_consent.sql'), sql('confirm_opt_in.sql')],
  tables: consentTables,
  jobs: consentJobs,
  endings: ({ db }) => ({ 'proof of consent': endProof(db) }),
};
