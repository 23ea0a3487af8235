// What people send: forms and scripts, sifted, kept even while the database is away.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { knownTexts } from '../consent/texts.ts';
import type { Journal } from './journal.ts';
import { type QuarantineNeeds, quarantineRoutes } from './quarantine-routes.ts';
import { journalReading } from './readings.ts';
import type { CaptureNeeds } from './receive.ts';
import { captureRoutes, captureTells } from './routes.ts';
import { captureTables } from './tables.ts';

const sql = (name: string) => new URL(name, import.meta.url);

interface House
  extends Pick<
    CaptureNeeds,
    'sites' | 'customFields' | 'ledger' | 'countryOf' | 'daySalts' | 'dayRoom' | 'disk'
  > {
  db: Pool;
  outbox: QuarantineNeeds['outbox'];
  leads: Pick<CaptureNeeds, 'captureLimits' | 'judgeChallenge' | 'capture' | 'settings'> & {
    journal: Journal;
  };
}

export const captures: Feature<House> = {
  name: 'captures',
  functions: [sql('capture_parts.sql'), sql('capture_lead.sql')],
  tables: captureTables,
  readings: [journalReading],
  tells: captureTells,
  routes: ({ db, sites, customFields, ledger, countryOf, daySalts, dayRoom, disk, leads, outbox }) => [
    ...captureRoutes({
      ...leads,
      sites,
      customFields,
      ledger,
      countryOf,
      daySalts,
      dayRoom,
      disk,
      findText: knownTexts(db),
    }),
    ...quarantineRoutes({ db, sites, outbox }),
  ],
};
