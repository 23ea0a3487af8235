// A feed in one language, out of what was built: from memory alone.
import type { Site } from '../../ground/site.ts';
import { languageOf } from '../../ground/words/language.ts';
import type { Notification } from '../notifications/at-work.ts';
import { printTokens } from '../notifications/looks/print.ts';
import { tokensShape } from '../notifications/looks/tokens.ts';
import type { Built, Card } from './build.ts';
import { wordsIn } from './card-words.ts';
import type { Feed, FeedItem, FeedTest } from './feed-shape.ts';
import { wordingsOf } from './wordings.ts';
import { bestLanguage, countryName, dayInWords, say, sayCount, someone } from './words.ts';

const STANDARD = 'default';

export interface Wish {
  language: string | undefined;
  /** Of the site. */
  otherwise: string | undefined;
  /** Where the client is; null: not known. */
  country: string | null;
}

export function languagesOf({ cards }: Built): string[] {
  return [...new Set(cards.flatMap(({ notification }) => Object.keys(notification.texts)))].sort();
}

/** In which language, and where, somebody reads a site's feed. */
export function wishFor(
  built: Built,
  { settings }: Pick<Site, 'settings'>,
  wanted: string | undefined,
  country: string | null,
): Wish {
  const otherwise = languageOf(settings) ?? undefined;
  return { language: bestLanguage(languagesOf(built), wanted, otherwise), otherwise, country };
}

/** returns  null: what it asks for may not be told, or there are no words */
export function textOf(built: Built, card: Card, language: string): string | null {
  const { notification, shown, act, review } = card;
  if (shown) return sayCount(notification, shown, language);
  if (!act) return notification.texts[language]!.other!;
  const text = sayAct(built, notification, act, language);
  return text !== null && review?.words ? `“${review.words}” — ${text}` : text;
}

function sayAct(
  built: Built,
  notification: Notification,
  act: NonNullable<Card['act']>,
  language: string,
): string | null {
  return say(notification, language, 1, {
    name: act.name ?? someone(language),
    place:
      act.place &&
      (act.place.city ?? act.place.region ?? (act.place.country && countryName(act.place.country, language))),
    product: act.product,
    when: dayInWords(act.occurredAt, built.asOf, built.zone, language),
  });
}

function variantsOf(
  built: Built,
  card: Card,
  language: string,
  test: FeedTest | undefined,
): FeedItem['variants'] {
  const { notification, receipt } = card;
  const variants = wordingsOf(notification, test).flatMap(({ key, texts, templateId, trigger }) => {
    const text = textOf(built, { ...card, notification: { ...notification, texts } }, language);
    const style = templateId ?? STANDARD;
    const when = trigger && { when: trigger };
    return text === null ? [] : [{ key, text, style, link: notification.link, receipt, ...when }];
  });
  // where one wording of a test has no words for it no arm has it: else its visitors would be exposed to nothing
  return test && variants.length < test.variants.length ? [] : variants;
}

function itemOf(built: Built, card: Card, wish: Wish): FeedItem | null {
  const { notification } = card;
  const { targeting, trigger, frequency, channels, kind, source, notificationId } = notification;
  const { countries, include, exclude, devices, sources, languages, visitors, consent } = targeting;
  if (countries.length > 0 && (wish.country === null || !countries.includes(wish.country))) return null;
  const language = bestLanguage(Object.keys(notification.texts), wish.language, wish.otherwise)!;
  const test = built.tests.find((one) => one.notificationId === notificationId);
  const variants = variantsOf(built, card, language, test);
  if (variants.length === 0) return null;
  return {
    id: notificationId,
    kind,
    variants,
    lang: language,
    // an act or a review is somebody's, whether a name is said or not
    named: card.act !== null,
    source,
    review: card.review?.beside ?? null,
    where: { channels, include, exclude, devices, sources, languages, visitors, consent },
    when: trigger,
    cap: frequency,
  };
}

/** itemsMax  the first so many, when all would be too long */
export function renderFeed(built: Built, wish: Wish, itemsMax = Number.POSITIVE_INFINITY): Feed {
  const items = built.cards.flatMap((card) => itemOf(built, card, wish) ?? []).slice(0, itemsMax);
  const ids = new Set(items.map(({ id }) => id));
  const used = new Set(items.flatMap(({ variants }) => variants.map(({ style }) => style)));
  const styles: Feed['styles'] = {};
  for (const name of used) {
    const template = built.templates.find(({ templateId }) => templateId === name);
    const tokens = template?.tokens ?? tokensShape.parse({});
    styles[name] = {
      css: printTokens(tokens) + (template?.css ?? ''),
      position: tokens.position,
      logo: tokens.logo,
    };
  }
  return {
    asOf: built.asOf.toISOString(),
    items,
    tests: built.tests
      .filter(({ notificationId }) => ids.has(notificationId))
      .map(({ testId, notificationId, split }) => ({ testId, notificationId, split })),
    styles,
    words: wordsIn(wish.language ?? wish.otherwise ?? 'en'),
  };
}
