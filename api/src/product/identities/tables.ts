// What is kept of which visitor is which lead.
import type { Tables } from '../../ground/tables.ts';

export const identityTables: Tables = {
  lead_identities: {
    holds: 'the claim that a visitor is a lead, with its evidence',
    whose: 'lead',
    columns: { link_source: 'goes' },
    kept: { with: 'leads', why: 'it is about the lead' },
  },
};
