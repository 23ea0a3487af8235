// What is kept of who asks to see their own data.
import type { Tables } from '../../ground/tables.ts';

export const yourDataTables: Tables = {
  your_data_links: {
    holds:
      'that somebody asked for a link to their own data; the address as long as the link works, then its keyed hash alone',
    whose: 'address',
    bound: '20 a client and 1000 a site and day, each used 200 times',
    columns: {
      kind: 'bounded',
      email_normalized: 'goes',
      mail_to: 'goes, found',
      email_hash: 'digest',
      asked_by: 'digest',
      language: 'bounded',
      token_hash: 'digest',
    },
    kept: {
      for: { days: 1 },
      since: 'asked_at',
      why: 'the link works for an hour, what is counted is counted for a day',
    },
  },
};
