// What is kept of which visitor is which lead.
import type { Tables } from '../../ground/tables.ts';

export const identityTables: Tables = {
  lead_identities: {
    holds: 'the claim that a visitor is a lead, with its evidence',
    whose: 'lead',
    columns: { link_source: 'goes' },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { days: 'EVENT_RETENTION_DAYS' },
        since: 'linked_at',
        why: 'a guess by address and browser: the visits it rests on are gone',
        where: "link_source = 'same_ip_ua_window'",
        counted: 'guessedLinks',
      },
    ],
  },
};
