// What is kept of choices: who answered what to the consent control, and the words it showed.
import type { Tables } from '../../ground/tables.ts';
import { NEW_WORDS_A_DAY_MAX } from './queries.ts';

export const choiceTables: Tables = {
  browser_choice_words: {
    holds: 'the words a consent control showed, every version',
    bound: `${NEW_WORDS_A_DAY_MAX} new wordings a site and day`,
    columns: { words_hash: 'digest', words: 'operator' },
    kept: {
      for: { days: 30 },
      since: 'last_shown_at',
      why: 'no choice that is kept was made under them',
      unless: { table: 'browser_choices', by: 'words_hash' },
    },
  },
  // proof: it stays when the visitor is forgotten, as nobody's
  browser_choices: {
    holds:
      'what a visitor answered to the consent control, when, until when, under which words; no address, no page',
    bound: '24 a client and minute; within the room of a day',
    whose: 'visitor',
    moved: true,
    columns: { mode: 'bounded', words_hash: 'digest', language: 'bounded' },
    kept: {
      for: { years: 3 },
      since: 'ends_at',
      why: 'proof, after the choice ended',
      by: 'ended choices',
      told: 'browserChoiceYears',
    },
  },
};
