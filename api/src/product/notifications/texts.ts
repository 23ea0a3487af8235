// The words of a notification: which placeholders each kind may and must use, and that no number is typed where one is counted.
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import { holdsNumberWord } from './number-words.ts';

export const KINDS = ['recent_activity', 'count', 'live_visitors', 'review', 'message'] as const;
export type Kind = (typeof KINDS)[number];
/** By language, then by plural category. */
export type Texts = Record<string, Record<string, string>>;
export interface Link {
  url: string;
  label: string;
}

export const PLACEHOLDERS = ['count', 'days', 'minutes', 'name', 'place', 'product', 'when'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

const RULES: Record<Kind, { may: readonly Placeholder[]; must: readonly Placeholder[] }> = {
  recent_activity: { may: ['name', 'place', 'product', 'when'], must: [] },
  count: { may: ['count', 'days', 'product'], must: ['count', 'days'] },
  live_visitors: { may: ['count', 'minutes'], must: ['count', 'minutes'] },
  review: { may: ['name', 'place', 'product', 'when'], must: [] },
  message: { may: [], must: [] },
};

const PLACEHOLDER = /\{([a-z]+)\}/g;
// digits of every script, fractions, Roman numerals, and the two pictures of a number that Unicode does not call one
const NUMBER = /[\p{N}\u{1F51F}\u{1F4AF}]/u;
// what turns text around or hides in it; joiners are letters' own
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const JOINERS = /[\u200c\u200d]/g;

const namesAnything = (language: string) => Intl.PluralRules.supportedLocalesOf([language]).length === 1;

export function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag)[0] === tag && namesAnything(tag);
  } catch {
    return false;
  }
}

export const isPlain = (text: string): boolean => !HIDDEN.test(text.replace(JOINERS, ''));

/** Whether a text holds a number of its own, however it is written; as a word, in the languages of number-words.ts. */
export function holdsNumber(text: string, language: string): boolean {
  const rest = text.replace(PLACEHOLDER, '');
  const wide = rest.normalize('NFKC');
  return NUMBER.test(rest) || NUMBER.test(wide) || holdsNumberWord(wide, language);
}

/** throws  invalid_request for what is no text of ours, unbacked_claim for a number that nobody counted */
export function checkTexts(kind: Kind, texts: Texts, link: Link | null): void {
  const { wrong, unbacked } = faultsIn(kind, texts);
  if (link && !isPlain(link.label)) wrong.push({ path: 'link.label', message: 'plain text' });
  if (wrong.length > 0)
    throw new AppError('invalid_request', 'Some texts cannot be shown like this.', {
      issues: wrong.slice(0, 20),
    });
  if (kind === 'message') return; // the owner's word, marked as such, with its source beside it
  // nobody says which language a label is in: a word that is a number in one of them may be another in the next
  if (link && Object.keys(texts).every((language) => holdsNumber(link.label, language)))
    unbacked.push({ path: 'link.label', message: 'holds a number' });
  if (unbacked.length > 0)
    throw new AppError(
      'unbacked_claim',
      'A number in a notification is counted, never typed: write {count}, {days} or {minutes} in its place, or make it a message with its source.',
      { issues: unbacked.slice(0, 20) },
    );
}

function faultsIn(kind: Kind, texts: Texts): { wrong: Issue[]; unbacked: Issue[] } {
  const wrong: Issue[] = [];
  const unbacked: Issue[] = [];
  for (const [language, forms] of Object.entries(texts)) {
    if (!isLanguage(language)) {
      wrong.push({ path: `texts.${language}`, message: 'a language tag such as en or fr-CA' });
      continue;
    }
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories as string[];
    if (!('other' in forms)) wrong.push({ path: `texts.${language}.other`, message: 'is needed' });
    for (const [category, text] of Object.entries(forms)) {
      const path = `texts.${language}.${category}`;
      if (!categories.includes(category))
        wrong.push({ path, message: `${language} has ${categories.join(', ')}` });
      else if (!isPlain(text)) wrong.push({ path, message: 'plain text, without control characters' });
      else wrong.push(...placeholderFaults(kind, path, text));
      if (holdsNumber(text, language)) unbacked.push({ path, message: 'holds a number' });
    }
  }
  return { wrong, unbacked };
}

function placeholderFaults(kind: Kind, path: string, text: string): Issue[] {
  const used = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  const { may, must } = RULES[kind];
  const strange = used.filter((name) => !(may as readonly string[]).includes(name));
  const missing = must.filter((name) => !used.includes(name));
  const faults: string[] = [];
  if (/[{}]/.test(text.replace(PLACEHOLDER, ''))) faults.push('a brace that is no placeholder');
  if (strange.length > 0)
    faults.push(`${strange.map((name) => `{${name}}`).join(', ')} means nothing in a ${kind}`);
  if (missing.length > 0) faults.push(`must say ${missing.map((name) => `{${name}}`).join(' and ')}`);
  return faults.map((message) => ({ path, message }));
}

/** Which placeholders a text asks for. */
export const askedBy = (text: string): Placeholder[] =>
  [...text.matchAll(PLACEHOLDER)].map(([, name]) => name as Placeholder);

/** returns  null when a value it asks for is not there: then nothing is said */
export function fill(text: string, values: Partial<Record<Placeholder, string | null>>): string | null {
  if (askedBy(text).some((name) => values[name] === undefined || values[name] === null)) return null;
  return text.replace(PLACEHOLDER, (_all, name: Placeholder) => values[name]!);
}
