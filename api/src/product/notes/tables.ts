// What is kept of notes.
import type { Tables } from '../../ground/tables.ts';

export const noteTables: Tables = {
  notes: {
    holds:
      'a note on a day of a site’s numbers: a deploy, a campaign, an incident; of its people, or of one of them alone',
    whose: 'user',
    columns: { kind: 'bounded', text: 'found', made_by: 'operator' },
    kept: [
      { with: 'users', why: 'where it is that user’s alone' },
      {
        for: { months: 'ROLLUP_RETENTION_MONTHS' },
        since: 'at',
        why: 'the numbers it stands beside are gone',
      },
    ],
  },
  machine_notes: {
    holds: 'an upgrade, an outage or a restore of the machine',
    columns: { kind: 'bounded', text: 'bounded', release: 'bounded' },
    kept: { ever: 'a line each' },
  },
};
