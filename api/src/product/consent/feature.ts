// What was agreed to or withdrawn, when, in which words; the pages and links for it.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Sites } from '../sites/recognise.ts';
import { type ConfirmNeeds, confirmRoutes, confirmTells } from './confirm-routes.ts';
import { inForceAt } from './in-force.ts';
import { consentJobs, endProof, endUnsubscribed } from './jobs.ts';
import type { PrivacyNeeds } from './privacy.ts';
import { privacyRoutes } from './privacy-routes.ts';
import { consentReadings } from './readings.ts';
import { type ConsentNeeds, consentRoutes, consentTells } from './routes.ts';
import { consentTables } from './tables.ts';
import { consentTextRoutes, type TextNeeds } from './text-routes.ts';

const sql = (name: string) => new URL(name, import.meta.url);

interface House extends Pick<ConsentNeeds, 'sites'>, Pick<PrivacyNeeds, 'config' | 'periods'> {
  db: Pool;
  leads: Pick<ConsentNeeds, 'withdraw' | 'hashAddress' | 'isNamed' | 'languageOf'> &
    Pick<ConfirmNeeds, 'confirm'> & {
      pool: Pool;
      settings: ConfirmNeeds['settings'] & Pick<TextNeeds, 'senderDefaults'>;
    };
}

export const consent: Feature<House, { db: Pool; sites: Sites }> = {
  name: 'consent',
  functions: [
    'consent_chain.sql',
    'consent_standing.sql',
    'record_consent.sql',
    'take_consent.sql',
    'withdraw_consent.sql',
    'confirm_opt_in.sql',
  ].map(sql),
  tables: consentTables,
  tells: [...consentTells, ...confirmTells],
  routes: ({
    config,
    sites,
    periods,
    leads: { pool, withdraw, hashAddress, isNamed, languageOf, settings, confirm },
  }) => [
    ...consentRoutes({
      sites,
      withdraw,
      hashAddress,
      isNamed,
      languageOf,
    }),
    ...privacyRoutes({
      config,
      periods,
      senderDefaults: settings.senderDefaults,
      inForce: inForceAt(pool),
    }),
    ...confirmRoutes({ sites, settings, confirm, senderDefaults: settings.senderDefaults }),
    ...consentTextRoutes({ db: pool, senderDefaults: settings.senderDefaults }),
  ],
  jobs: consentJobs,
  readings: consentReadings,
  endings: ({ db }) => ({ 'proof of consent': endProof(db), 'unsubscribed addresses': endUnsubscribed(db) }),
};
