// What is kept of conversions.
import type { Tables } from '../../ground/tables.ts';

export const conversionTables: Tables = {
  conversions: {
    holds: 'a signup, activation or purchase, by lead, visitor or the keyed hash of an address',
    whose: 'lead, visitor or hash',
    columns: {
      conversion_id: 'goes, found',
      kind: 'goes',
      origin: 'goes',
      currency: 'goes',
      email_hash: 'goes',
    },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { months: 'ROLLUP_RETENTION_MONTHS' },
        since: 'occurred_at',
        why: 'older than rollups are kept, and nobody has them',
        where:
          'not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id)',
      },
    ],
  },
};
