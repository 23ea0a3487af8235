// What is kept of leads.
import type { Tables } from '../../ground/tables.ts';

export const leadTables: Tables = {
  leads: {
    holds: 'a person who left an address on a site',
    whose: 'lead',
    columns: {
      email: 'goes',
      email_normalized: 'goes',
      email_domain: 'goes',
      domain_class: 'goes',
      first_source: 'goes',
      first_utm: 'goes, found',
      first_path: 'goes, found',
      first_referrer: 'goes, found',
      first_form_name: 'goes, found',
      source_channel: 'goes, found',
      consent_status: 'goes',
      consent_head: 'goes',
      unsubscribe_key: 'goes',
      attributes: 'goes, found',
    },
    kept: {
      for: { days: 30 },
      since: 'greatest(consent_at, last_submitted_at, imported_at)',
      why: 'consent that lapsed: nothing allows us to keep the address, so it is forgotten as if the person had asked; a withdrawal stays, or the next import would write to them again',
      by: 'lapsed leads',
      told: 'lapsedLeadDays',
    },
  },
  lead_rectifications: {
    holds: 'that a lead’s address was corrected, when and why; the one before as a keyed hash',
    whose: 'lead',
    columns: { email_hash: 'digest', evidence: 'goes, found' },
    kept: { with: 'leads', why: 'it is about the lead' },
  },
};
