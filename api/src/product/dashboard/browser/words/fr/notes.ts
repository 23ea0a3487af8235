// Les notes à côté des chiffres, en français.
import type { NotesWords } from '../en/notes.ts';

export const notes: NotesWords = {
  title: (n) => (n === 1 ? '1 note sur ces jours' : `${n} notes sur ces jours`),
  none: 'Aucune note sur ces jours',
  add: 'Ajouter une note',
  change: 'Modifier',
  changes: (says) => `Modifier : ${says}`,
  changing: 'Modifier une note',
  remove: 'Supprimer',
  day: 'Jour',
  kind: 'Genre',
  text: 'Note',
  scope: 'Qui la voit',
  scopes: { site: 'Qui voit ces chiffres', mine: 'Vous seulement' },
  onlyYou: 'Vous seul la voyez',
  ownHint:
    'Vous seul la voyez ; les notes pour tous sont écrites par les analystes, les administrateurs et les propriétaires.',
};
