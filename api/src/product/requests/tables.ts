// What is kept of people's requests.
import type { Tables } from '../../ground/tables.ts';

export const requestTables: Tables = {
  people_requests: {
    holds:
      'that somebody asked for access, erasure, correction …, until when, and what became of it; the address as a keyed hash',
    columns: {
      kind: 'bounded',
      email_hash: 'digest',
      how: 'found',
      note: 'found',
      outcome: 'bounded',
    },
    kept: {
      for: { months: 36 },
      since: 'done_at',
      why: 'answered: CCPA asks for a register of 24 months, complaints come within three years',
      told: 'answeredRequestMonths',
    },
  },
};
