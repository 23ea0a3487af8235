// What the page of a receipt says, in English and French.
import type { Language } from '../../ground/words/language.ts';

const en = {
  title: 'How do we know?',
  by: 'Shown by',
  basis: 'Based on',
  bases: { counted: 'counted from stored rows', stated_by_owner: 'stated by the owner of the site' },
  rule: 'What counts',
  value: 'Counted',
  window: 'Between',
  minimum: 'Shown only from',
  excluded: 'Left out',
  left: (out: { bots: number; staff: number; voided: number }) =>
    `${out.bots} by robots, ${out.staff} by the site’s own people, ${out.voided} cancelled or refunded`,
  leftUncounted: 'robots and the site’s own people; how many they were is not counted',
  wordings: 'In its other wordings',
  asOf: 'As of',
  now: 'Counted again just now',
  source: 'Source',
  status: {
    current: 'This is being shown.',
    superseded:
      'This is not being shown now: another count or wording has taken its place, or nothing is shown at the moment.',
    withdrawn: 'This is no longer shown.',
  },
  signed: (key: string) => `Signed with the key ${key} (/.well-known/proof-keys.json).`,
  data: 'As data',
};
export type ReceiptWords = typeof en;

const fr: ReceiptWords = {
  title: 'Comment le savons-nous ?',
  by: 'Affiché par',
  basis: 'D’après',
  bases: {
    counted: 'un décompte de lignes enregistrées',
    stated_by_owner: 'une affirmation du propriétaire du site',
  },
  rule: 'Ce qui compte',
  value: 'Décompte',
  window: 'Entre',
  minimum: 'Affiché seulement à partir de',
  excluded: 'Laissés de côté',
  left: (out) =>
    `${out.bots} de robots, ${out.staff} des personnes du site, ${out.voided} annulés ou remboursés`,
  leftUncounted: 'les robots et les personnes du site ; leur nombre n’est pas compté',
  wordings: 'Dans ses autres formulations',
  asOf: 'Au',
  now: 'Recompté à l’instant',
  source: 'Source',
  status: {
    current: 'Ceci est affiché en ce moment.',
    superseded:
      'Ceci n’est pas affiché en ce moment : un autre décompte ou une autre formulation l’a remplacé, ou rien n’est affiché.',
    withdrawn: 'Ceci n’est plus affiché.',
  },
  signed: (key) => `Signé avec la clé ${key} (/.well-known/proof-keys.json).`,
  data: 'En données',
};

export const receiptWords = (language: Language): ReceiptWords => (language === 'fr' ? fr : en);
