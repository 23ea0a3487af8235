// What people send: forms and scripts, sifted, kept even while the database is away.
import type { Feature } from '../../ground/feature.ts';
import { captureTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

export const captures: Feature = {
  name: 'captures',
  functions: [sql('capture_parts.sql'), sql('capture_lead.sql')],
  tables: captureTables,
};
