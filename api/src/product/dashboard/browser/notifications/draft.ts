// What is edited of a notification: its content as the API has it, what differs from what is kept, and what was refused where.
import type { Content, Notification, Showing } from '../../../notifications/schema.ts';
import type { Kind, Placeholder } from '../../../notifications/texts.ts';
import type { Refusal } from '../lib/ask.ts';
import { language } from '../lib/state.ts';
import { notifications as en, type NotificationWords } from '../words/en/notifications.ts';
import { notifications as fr } from '../words/fr/notifications.ts';

export type Shown = Notification & Showing;
export type { Content, Kind, Placeholder };

export const wordsOf = (): NotificationWords => (language.value === 'fr' ? fr : en);

export const KINDS = [
  'count',
  'recent_activity',
  'live_visitors',
  'review',
  'message',
] as const satisfies Kind[];
/** What each kind may say, as the API holds it. */
export const MAY: Record<Kind, readonly Placeholder[]> = {
  count: ['count', 'days', 'product'],
  recent_activity: ['name', 'place', 'product', 'when'],
  live_visitors: ['count', 'minutes'],
  review: ['name', 'place', 'product', 'when'],
  message: [],
};
/** Kinds that say a number, in the plural form it takes. */
export const isCounted = (kind: Kind): boolean => kind === 'count' || kind === 'live_visitors';

const PARTS = [
  'name',
  'claim',
  'source',
  'texts',
  'link',
  'channels',
  'templateId',
  'priority',
  'targeting',
  'trigger',
  'frequency',
  'schedule',
] as const satisfies (keyof Content)[];

export const contentOf = (shown: Shown): Content =>
  Object.fromEntries(PARTS.map((part) => [part, shown[part]])) as unknown as Content;

/** The parts that differ, each whole. */
export const changesOf = (kept: Shown, draft: Content): Partial<Content> =>
  Object.fromEntries(
    PARTS.filter((part) => JSON.stringify(kept[part]) !== JSON.stringify(draft[part])).map((part) => [
      part,
      draft[part],
    ]),
  );

/** What was refused of a field, or of what is in it; in the reader's words where we have them. */
export function wrongIn(refusal: Refusal | null, w: NotificationWords) {
  return (path: string): string | undefined => {
    const issue = refusal?.issues.find((one) => one.path === path || one.path.startsWith(`${path}.`));
    if (!issue) return undefined;
    if (refusal!.code !== 'unbacked_claim') return issue.message;
    return path.startsWith('source') ? w.sourceNeeded : w.typedNumber;
  };
}
export type Wrong = ReturnType<typeof wrongIn>;

/** What a part of the form gets. */
export interface Editing {
  kind: Kind;
  draft: Content;
  set(change: Partial<Content>): void;
  wrong: Wrong;
  w: NotificationWords;
}

/** What stands in a new one of a kind: words that may be shown as they are. */
export const STARTS: Record<
  Exclude<Kind, 'message'>,
  { claim: object; texts: Record<'en' | 'fr', Record<string, string>> }
> = {
  count: {
    claim: { of: 'purchases' },
    texts: {
      en: {
        one: '{count} person bought here in the last {days} days',
        other: '{count} people bought here in the last {days} days',
      },
      fr: {
        one: '{count} personne a acheté ici en {days} jours',
        other: '{count} personnes ont acheté ici en {days} jours',
      },
    },
  },
  recent_activity: {
    claim: { of: 'purchases' },
    texts: {
      en: { other: '{name} bought something {when}' },
      fr: { other: '{name} a fait un achat {when}' },
    },
  },
  live_visitors: {
    claim: { of: 'visitors' },
    texts: {
      en: {
        one: '{count} person looked around here in the last {minutes} minutes',
        other: '{count} people looked around here in the last {minutes} minutes',
      },
      fr: {
        one: '{count} personne est passée ici ces {minutes} dernières minutes',
        other: '{count} personnes sont passées ici ces {minutes} dernières minutes',
      },
    },
  },
  review: {
    claim: { of: 'reviews', days: 90 },
    texts: { en: { other: '{name}, {when}' }, fr: { other: '{name}, {when}' } },
  },
};
