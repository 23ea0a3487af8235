// What is kept of segments.
import type { Tables } from '../../ground/tables.ts';

export const segmentTables: Tables = {
  segments: {
    holds: 'filters under a name: of a site’s people, or of one of them alone',
    whose: 'user',
    columns: { name: 'found', filters: 'found', made_by: 'operator' },
    kept: [
      { with: 'users', why: 'where it is that user’s alone' },
      { ever: 'until it is deleted; 200 a site' },
    ],
  },
};
