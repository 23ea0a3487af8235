// What a card says in each language: somebody without a name, days ago in words, the form that a number takes.
import type { Notification } from '../notifications/at-work.ts';
import { fill, type Placeholder } from '../notifications/texts.ts';
import { LIVE_MINUTES, said } from './claims.ts';

const SOMEONE: Record<string, string> = {
  en: 'Someone',
  fr: 'Quelqu’un',
  de: 'Jemand',
  es: 'Alguien',
  it: 'Qualcuno',
  nl: 'Iemand',
  pt: 'Alguém',
  sv: 'Någon',
  da: 'Nogen',
  nb: 'Noen',
  fi: 'Joku',
  pl: 'Ktoś',
  cs: 'Někdo',
  uk: 'Хтось',
  ru: 'Кто-то',
  tr: 'Biri',
  ar: 'شخص ما',
  he: 'מישהו',
  ja: 'どなたか',
  zh: '有人',
  ko: '누군가',
};

const base = (language: string) => language.split('-', 1)[0]!;
/** null: a language in which we have no such word; then only named people can be told of. */
export const someone = (language: string): string | null => SOMEONE[base(language)] ?? null;

/** The best of the languages that are there for the one that was asked for. */
export function bestLanguage(
  there: readonly string[],
  wanted: string | undefined,
  otherwise: string | undefined,
): string | undefined {
  const find = (one: string | undefined) =>
    one === undefined
      ? undefined
      : (there.find((tag) => tag.toLowerCase() === one.toLowerCase()) ??
        there.find((tag) => base(tag) === base(one.toLowerCase())));
  return find(wanted) ?? find(otherwise) ?? find('en') ?? there[0];
}

/** "today", "yesterday", "3 days ago": by the days of the site's zone. */
export function dayInWords(then: Date, now: Date, zone: string, language: string): string {
  const day = (at: Date) => Date.parse(new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(at));
  const days = Math.round((day(then) - day(now)) / 86_400_000);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day');
}

export const countryName = (code: string, language: string): string | null =>
  new Intl.DisplayNames([language], { type: 'region', fallback: 'none' }).of(code) ?? null;

export type Said = Partial<Record<Placeholder, string | null>>;

/** A text in the plural form of its number. returns  null when it asks for what is not there */
export function say(
  { texts }: Pick<Notification, 'texts'>,
  language: string,
  number: number,
  values: Said,
): string | null {
  const forms = texts[language]!;
  const category = new Intl.PluralRules(language).select(number);
  return fill(forms[category] ?? forms.other!, values);
}

/** What a counted notification says. */
export function sayCount(
  notification: Pick<Notification, 'texts' | 'claim'>,
  counted: { value: number; isRounded: boolean },
  language: string,
): string | null {
  const { claim } = notification;
  const { text, value } = said(counted, language);
  const numbers = new Intl.NumberFormat(language);
  return say(notification, language, value, {
    count: text,
    days: claim && numbers.format(claim.days),
    minutes: numbers.format(LIVE_MINUTES),
    product: claim?.where.product ?? null,
  });
}
