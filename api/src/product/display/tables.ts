// What is kept of who may be named.
import type { Tables } from '../../ground/tables.ts';

export const displayTables: Tables = {
  display_words: {
    holds:
      'the words beside the box that asks whether somebody may be named, or a review published, every version',
    bound: '50 new wordings a site and day',
    columns: { words_hash: 'digest', words: 'operator' },
    kept: {
      for: { days: 30 },
      since: 'first_shown_at',
      why: 'no permission that is kept was given under them',
      unless: { table: 'display_consents', by: 'words_hash' },
    },
  },
  display_details: {
    holds:
      'what somebody allowed to be shown of them: given name, place, a hash of the words of a review; and where they were asked, or where the proof is',
    whose: 'lead',
    columns: {
      salt: 'goes',
      given_name: 'goes',
      city: 'goes',
      region: 'goes',
      country: 'goes',
      page: 'goes, found',
      form_name: 'goes, found',
      review_hash: 'goes',
      evidence: 'goes, found',
    },
    kept: { with: 'leads', why: 'it is about the lead' },
  },
  // proof, and what outlives the person
  display_consents: {
    holds:
      'who allowed what of them to be shown, or which review of theirs to be published, or took it back, when; hash-chained, without a personal word',
    columns: {
      action: 'bounded',
      basis: 'bounded',
      fields: 'bounded',
      words_hash: 'digest',
      details_digest: 'digest',
      previous_hash: 'digest',
      hash: 'digest',
    },
    kept: {
      for: { years: 'CONSENT_RECORD_RETENTION_YEARS' },
      since: 'recorded_at',
      why: 'proof, after the last record of a lead that is gone',
      where: `not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id)
        and not exists (select from display_consents y where y.site_id = target.site_id and y.lead_id = target.lead_id
          and y.recorded_at >= $1)`,
      by: 'proof of display consent',
    },
  },
};
