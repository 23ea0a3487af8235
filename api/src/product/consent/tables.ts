// What is kept of consent: the chain of records, their details, the words, and what waits for a second step.
import type { Tables } from '../../ground/tables.ts';

export const consentTables: Tables = {
  opt_ins: {
    holds: 'the first step of a double opt-in',
    whose: 'lead',
    columns: { token: 'goes', request: 'goes, found' },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        for: { days: 30 },
        since: 'requested_at',
        why: 'its link works no more',
        // of who sent nothing else it says so, and goes with the lead
        where:
          'confirmed_at is null and not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id and is_unconfirmed(l))',
        counted: 'optIns',
      },
    ],
  },
  consent_details: {
    holds: 'what belongs to a consent record and can be forgotten: page, form, words, address, hashes',
    whose: 'lead',
    columns: {
      salt: 'goes',
      email_normalized: 'goes',
      language: 'goes',
      policy_version: 'goes, found',
      purposes: 'goes',
      page: 'goes, found',
      form_name: 'goes, found',
      source: 'goes, found',
      evidence: 'goes, found',
      ip_hash: 'goes',
      ua_hash: 'goes',
      purpose: 'goes',
      sender_name: 'goes',
      sender_address: 'goes',
      sender_contact: 'goes',
    },
    kept: { with: 'consent_records', why: 'it is part of the record' },
  },
  // proof, and what outlives the person
  consent_records: {
    holds: 'who agreed or withdrew, when, on what basis; hash-chained, without a personal word',
    columns: {
      purpose: 'bounded',
      action: 'bounded',
      status: 'bounded',
      kind: 'bounded',
      basis: 'bounded',
      text_hash: 'digest',
      details_digest: 'digest',
      previous_hash: 'digest',
      hash: 'digest',
    },
    kept: {
      for: { years: 'CONSENT_RECORD_RETENTION_YEARS' },
      since: 'recorded_at',
      why: 'proof, after the last record of a lead that is gone',
      where: `not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id)
        and not exists (select from consent_records y where y.site_id = target.site_id and y.lead_id = target.lead_id
          and y.recorded_at >= $1)`,
      by: 'proof of consent',
      told: 'consentRecordYears',
    },
  },
  // words sent along by a form go when nobody else agreed to them (forget.ts)
  consent_texts: {
    holds: 'the words people agreed to, every version',
    bound: '500 new wordings a site and day from forms',
    columns: {
      name: 'operator',
      language: 'operator',
      words: 'operator',
      words_hash: 'digest',
      origin: 'bounded',
    },
    kept: [
      { ever: 'proof shows the exact words' },
      {
        for: { days: 30 },
        since: 'created_at',
        why: 'sent along by a form, and no proof shows them any more',
        where: `origin = 'form' and not exists (select from consent_details d where d.site_id = target.site_id and d.text_id = target.text_id)`,
      },
    ],
  },
  withdrawal_requests: {
    holds: 'that an address, known or not, asked for no mail, or to be named nowhere, as a keyed hash',
    bound: '12 a client and minute; 100 000 a site',
    columns: { email_hash: 'digest', purpose: 'bounded' },
    kept: {
      for: { years: 3 },
      since: 'requested_at',
      why: 'binds what is carried in later with older consent; the oldest go earlier where a site has over 100 000',
      by: 'unsubscribed addresses',
      told: 'unsubscribedYears',
    },
  },
};
