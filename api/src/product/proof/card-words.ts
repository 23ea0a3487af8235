// What is said beside every card, in the languages we have it in.
import type { Feed, FeedItem } from './feed-shape.ts';

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

/** What must stand beside a review wherever it is shown. */
export const besideOf = (review: FeedItem['review'], words: Feed['words']): string[] =>
  review
    ? [
        review.rating === null ? null : `${review.rating}/5`,
        review.verified ? words.verified : null,
        review.incentive,
        review.relationship,
        review.selected ? words.selected : null,
      ].filter((one) => one !== null)
    : [];

/** Of a message, where it cannot be a link: its address and day. */
export const sourceOf = (source: FeedItem['source'], words: Feed['words']): string[] =>
  source ? [`${words.source}: ${source.url.replace(/^https:\/\//, '')}, ${source.statedOn}`] : [];
