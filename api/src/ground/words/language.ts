// The two languages that people are spoken to in, and how one is chosen. Pure.

export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Of a tag such as fr-CA or en_GB; undefined: none of ours. */
export function readLanguage(tag: unknown): Language | undefined {
  if (typeof tag !== 'string') return undefined;
  const [main] = tag.trim().toLowerCase().split(/[-_]/, 1);
  return LANGUAGES.find((language) => language === main);
}

/** The one of ours that an Accept-Language header likes best; undefined: it names neither. */
export function acceptedLanguage(header: string): Language | undefined {
  const wishes = header.split(',', 50).flatMap((part, order) => {
    const [tag = '', ...parameters] = part.split(';');
    const language = readLanguage(tag);
    const quality = parameters.map((text) => /^\s*q=([\d.]{1,5})\s*$/i.exec(text)?.[1]).find(Boolean);
    const weight = quality === undefined ? 1 : Number(quality);
    return language && weight > 0 ? [{ language, weight, order }] : [];
  });
  return wishes.sort((a, b) => b.weight - a.weight || a.order - b.order)[0]?.language;
}

/** `site`'s language setting. */
export const languageOf = (settings: Record<string, unknown>): Language | undefined =>
  readLanguage(settings.language);
