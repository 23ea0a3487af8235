// What is said beside every card, in the languages we have it in.
import type { Feed } from './feed-shape.ts';

const WORDS: Record<string, Feed['words']> = {
  en: {
    lang: 'en',
    close: 'Close',
    proof: 'How do we know?',
    source: 'Source',
    selected: 'selected reviews',
    verified: 'verified purchase',
  },
  fr: {
    lang: 'fr',
    close: 'Fermer',
    proof: 'Comment le savons-nous ?',
    source: 'Source',
    selected: 'avis choisis',
    verified: 'achat vérifié',
  },
};
export const wordsIn = (language: string): Feed['words'] => WORDS[language.split('-', 1)[0]!] ?? WORDS.en!;
