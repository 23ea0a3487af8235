// What is kept of proof: receipts, and the keys that signed them.
import type { Tables } from '../../ground/tables.ts';
import { RECEIPT_MONTHS } from './receipts.ts';

export const proofTables: Tables = {
  proof_keys: {
    holds: 'a public key that signed receipts; one more with each rotation of the secrets',
    columns: { key_id: 'digest', public_key: 'digest' },
    kept: { ever: 'what it signed can be checked' },
  },
  receipts: {
    holds: 'one claim as it was shown: its number, when it was counted, its signature; no name',
    bound:
      'of a number a new one where it fell, when a row of its window came late or was taken back, or a quarter of an hour after it grew; of visitors at the moment one a minute; of an act one',
    columns: {
      receipt_id: 'digest',
      key_id: 'digest',
      signature: 'digest',
      words_id: 'digest',
      said: 'operator',
    },
    kept: [
      {
        with: 'notification_versions',
        on: ['notification_id', 'version'],
        why: 'it is what was said of that version',
      },
      {
        for: { months: RECEIPT_MONTHS },
        since: 'as_of',
        why: 'so that what was shown can be checked for two years',
      },
    ],
  },
  receipt_words: {
    holds:
      'what receipts of a notification have in common: every wording that was shown, the claim and its rule; no name',
    columns: { words_id: 'digest', words: 'operator' },
    kept: {
      with: 'notification_versions',
      on: ['notification_id', 'version'],
      why: 'it is what was said of that version',
    },
  },
  receipt_acts: {
    holds: 'whose act a receipt is of, and which order or review; without it the receipt is gone',
    whose: 'lead',
    columns: { receipt_id: 'digest', conversion_id: 'goes, found' },
    kept: { with: 'receipts', on: ['receipt_id'], why: 'it is about the receipt' },
  },
};
