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
    // who agreed stays until they leave; whose time runs, and since when: erasure/lead_end.sql
    kept: [
      {
        for: { days: 'LAPSED_LEAD_RETENTION_DAYS' },
        since: 'lead_end',
        why: 'after implied consent ran out: nothing allows us to keep the address',
        by: 'lapsed leads',
        last: true,
        told: 'lapsedLeadDays',
      },
      {
        for: { days: 'UNCONFIRMED_LEAD_RETENTION_DAYS' },
        since: 'lead_end',
        why: 'after the last mail was asked for, of who sent nothing else and never confirmed',
        by: 'unconfirmed leads',
        last: true,
        told: 'unconfirmedLeadDays',
      },
      {
        for: { months: 'PENDING_LEAD_RETENTION_MONTHS' },
        since: 'lead_end',
        why: 'after the last sign of life of who never agreed: form, import, signup or purchase',
        by: 'pending leads',
        last: true,
        told: 'pendingLeadMonths',
      },
      {
        for: { years: 'WITHDRAWN_LEAD_RETENTION_YEARS' },
        since: 'lead_end',
        why: 'after who left did so, or was last heard of; the keyed hash of the address stays, or the next import would write to them again',
        by: 'withdrawn leads',
        last: true,
        told: 'withdrawnLeadYears',
      },
    ],
  },
  lead_rectifications: {
    holds: 'that a lead’s address was corrected, when and why; the one before as a keyed hash',
    whose: 'lead',
    columns: { email_hash: 'digest', evidence: 'goes, found' },
    kept: { with: 'leads', why: 'it is about the lead' },
  },
};
