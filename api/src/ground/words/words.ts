// The words for people, by language.
import { en, type Words } from './en.ts';
import { fr } from './fr.ts';
import type { Language } from './language.ts';

const WORDS: Record<Language, Words> = { en, fr };

export const wordsOf = (language: Language): Words => WORDS[language];
