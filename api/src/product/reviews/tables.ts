// What is kept of reviews.
import type { Tables } from '../../ground/tables.ts';

export const reviewTables: Tables = {
  reviews: {
    holds: 'what somebody wrote about the site or a product, and what was decided about it',
    whose: 'lead',
    bound: '24 a client and minute; an import 20 000 rows',
    // a rating goes on counting in the average, of nobody and without a word
    outlives: {
      set: 'words = null, submission_id = null, incentive = null, relationship = null, note = null, source_url = null, source_key = null',
      where: 't.lead_id = $2 and t.rating is not null',
    },
    columns: {
      status: 'bounded',
      reason: 'bounded',
      note: 'goes, found',
      words: 'goes, found',
      language: 'goes',
      product: 'goes, found',
      incentive: 'goes, found',
      relationship: 'goes, found',
      source: 'operator',
      source_url: 'goes, found',
      source_key: 'digest',
      decided_by: 'operator',
    },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        // its permission keeps its writer as long: erasure/lead_end.sql
        for: { years: 5 },
        since: 'received_at',
        why: 'so old a word says nothing of today',
        told: 'reviewYears',
      },
    ],
  },
};
