// Notes beside the numbers, in English: in a chunk of its own, with what shows them.
export const notes = {
  title: (n: number) => (n === 1 ? '1 note on these days' : `${n} notes on these days`),
  none: 'No notes on these days',
  add: 'Add a note',
  change: 'Change',
  changes: (says: string) => `Change: ${says}`,
  changing: 'Change a note',
  remove: 'Remove',
  day: 'Day',
  kind: 'Kind',
  text: 'Note',
  scope: 'Who sees it',
  scopes: { site: 'All who see these numbers', mine: 'Only you' },
  onlyYou: 'Only you see it',
  ownHint: 'Only you see it; notes for all are written by analysts, admins and owners.',
};
export type NotesWords = typeof notes;
