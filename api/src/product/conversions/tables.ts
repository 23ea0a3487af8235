// What is kept of conversions.
import type { Tables } from '../../ground/tables.ts';

export const conversionTables: Tables = {
  conversions: {
    holds: 'a signup, activation or purchase, by lead, visitor or the keyed hash of an address',
    whose: 'lead, visitor or hash',
    bound: 'one an event of a browser, while that is kept',
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
      {
        for: { days: 'EVENT_RETENTION_DAYS' },
        since: 'occurred_at',
        why: 'told by a browser that is nobody’s, whose events are gone',
        where: `origin = 'browser' and lead_id is null and not exists (select from lead_identities i
          where i.site_id = target.site_id and i.visitor_id = target.visitor_id)`,
        counted: 'browserConversions',
      },
    ],
  },
};
