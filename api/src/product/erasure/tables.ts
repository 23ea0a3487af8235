// What is kept of an erasure: that it was, never of whom.
import type { Tables } from '../../ground/tables.ts';

export const erasureTables: Tables = {
  erasures: {
    holds: 'that an address, by its keyed hash, was forgotten, when, and whether somebody asked',
    bound:
      'one row of some 200 bytes for each address that was forgotten; of strangers’ forms, 24 a client and minute, when their time is over',
    columns: { email_hash: 'digest', unsubscribe_hash: 'digest', erased: 'counted', cause: 'bounded' },
    kept: { ever: 'a capture on its way, a restored backup and an old link must not bring the person back' },
  },
};
