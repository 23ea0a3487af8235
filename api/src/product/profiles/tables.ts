// What is kept of profiles.
import type { Tables } from '../../ground/tables.ts';

export const profileTables: Tables = {
  visitor_profiles: {
    holds:
      'how often and how long a visitor who agreed to be known again came in 30 days, and a score made of it',
    whose: 'visitor',
    columns: {},
    kept: [
      { job: 'profiles', why: 'made anew every hour; who does not agree any more has none' },
      { for: { days: 31 }, since: 'seen_at', why: 'nothing of 30 days is left to count' },
    ],
  },
};
