// What is kept of conversions.
import type { Tables } from '../../ground/tables.ts';

export const conversionTables: Tables = {
  conversions: {
    holds: 'a signup, activation or purchase, by lead, visitor or the keyed hash of an address',
    whose: 'lead, visitor or hash',
    outlives: {
      set: 'visitor_id = null, email_hash = null',
      // what their browsers told without a name is theirs as well: metrics/gather_lead_facts.sql says whose
      where: `t.lead_id = $2 or (t.lead_id is null and t.email_hash is null and t.visitor_id in (select i.visitor_id from lead_identities i
        where i.site_id = $1 and i.lead_id = $2 and i.link_source <> 'same_ip_ua_window' and i.unlinked_at is null)
        and coalesce((select o.lead_id from opt_ins o where t.kind = 'email_verify' and t.origin = 'browser' and o.site_id = $1
          and o.opt_in_id::text = t.conversion_id), case when not t.privacy_signal then lead_of_visitor($1, t.visitor_id, t.occurred_at) end) = $2)`,
    },
    bound: 'of browsers, 100 of a kind a browser and day; 5000 a site and day beside those of leads',
    columns: {
      conversion_id: 'goes, found',
      kind: 'goes',
      origin: 'goes',
      currency: 'goes',
      email_hash: 'goes',
      items: 'goes',
      country: 'goes',
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
          where i.site_id = target.site_id and i.visitor_id = target.visitor_id and i.link_source <> 'same_ip_ua_window')`,
        counted: 'browserConversions',
      },
    ],
  },
};
