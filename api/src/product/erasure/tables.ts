// What is kept of an erasure: that it was, never of whom.
import type { Tables } from '../../ground/tables.ts';

export const erasureTables: Tables = {
  erasures: {
    holds: 'that an address, by its keyed hash, was forgotten, when, and whether somebody asked',
    bound:
      'one row of some 200 bytes for each address that was forgotten; of forms that agreed to nothing, no more than a site takes in a year',
    columns: { email_hash: 'digest', unsubscribe_hash: 'digest', erased: 'counted', cause: 'bounded' },
    kept: [
      {
        ever: 'a capture on its way, a restored backup, an old list and an old link must not bring the person back',
      },
      {
        for: { months: 12 },
        since: 'erased_at',
        why: 'of whoever had agreed to nothing, and whose time was over: no list and no link speaks of them',
        where: "cause = 'time' and was_stranger",
      },
    ],
  },
};
