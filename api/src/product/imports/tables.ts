// What is kept of imports.
import type { Tables } from '../../ground/tables.ts';

export const importTables: Tables = {
  imports: {
    holds: 'what was brought in from another tool: which, from which files, by whom',
    columns: { source: 'bounded', files: 'operator', time_zone: 'bounded', made_by: 'operator' },
    kept: { ever: 'until it is undone' },
  },
  import_batches: {
    holds: 'which batches of an import have come',
    columns: { digest: 'digest' },
    kept: { with: 'imports', why: 'it goes with its import' },
  },
  imported_days: {
    holds: 'a day as another tool counted it, by source, page and so on',
    bound: 'at most 300 000 rows an import and five imports a site, by its people',
    columns: { kind: 'bounded', name: 'counted, found', detail: 'counted, found' },
    kept: {
      for: { months: 'ROLLUP_RETENTION_MONTHS' },
      since: 'day',
      why: 'as the numbers of our own days',
      counted: 'importedDays',
    },
  },
};
