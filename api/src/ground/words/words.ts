// The words for people, by language.
import { en, type Words } from './en.ts';
import { fr } from './fr.ts';
import type { Language } from './language.ts';
import { type YourDataWords, yourDataEn } from './your-data-en.ts';
import { yourDataFr } from './your-data-fr.ts';

const WORDS: Record<Language, Words> = { en, fr };
const YOUR_DATA: Record<Language, YourDataWords> = { en: yourDataEn, fr: yourDataFr };

export const wordsOf = (language: Language): Words => WORDS[language];
export const yourDataWords = (language: Language): YourDataWords => YOUR_DATA[language];
