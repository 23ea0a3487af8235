// The wordings of a notification: its own, or those of the test that runs, of which each part of the visitors sees one.
import type { Notification } from '../notifications/at-work.ts';
import type { Texts } from '../notifications/texts.ts';
import type { FeedTest } from './feed-shape.ts';

export interface Wording {
  key: string;
  texts: Texts;
  templateId: string | null;
  /** Another moment than the notification's; null: the same. */
  trigger: Notification['trigger'] | null;
}

/** The first is what those see who take no part. */
export function wordingsOf(
  { texts, templateId }: Pick<Notification, 'texts' | 'templateId'>,
  test: FeedTest | undefined,
): Wording[] {
  if (!test) return [{ key: 'a', texts, templateId, trigger: null }];
  return test.variants.map((variant) => ({
    key: variant.key,
    // in its own languages alone: a feed is in one of those
    texts: Object.fromEntries(
      Object.entries(texts).map(([language, forms]) => [language, variant.texts?.[language] ?? forms]),
    ),
    templateId: variant.templateId ?? templateId,
    trigger: variant.trigger ?? null,
  }));
}
