// POST …/notifications/{id}/preview: what it would say now, in each language, and why it does not show; also with changes
// that are not kept yet.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { timeZoneOf } from '../../ground/site.ts';
import { type Notification, oneNotification } from '../notifications/at-work.ts';
import { isOpen } from '../notifications/open.ts';
import { checkNotification, definedOf } from '../notifications/rules.ts';
import { notificationChanges, showingShape } from '../notifications/schema.ts';
import { unknownNotification } from '../notifications/unknown.ts';
import { type Act, recentActs } from './acts.ts';
import { type Built, besideCount, type Card, type Why } from './build.ts';
import { type Counted, countClaim, isOfDays, said, windowOf } from './claims.ts';
import { feedItem } from './feed-shape.ts';
import { textOf } from './render.ts';
import { publishedReviews } from './reviews.ts';

const BODY_BYTES_MAX = 64 * 1024;
const answer = z.object({
  ...showingShape,
  value: z.int().nullable().describe('null: the owner’s words'),
  minimum: z.int().nullable(),
  excluded: z
    .object({ bots: z.int(), staff: z.int(), voided: z.int() })
    .nullable()
    .describe('rows that were left out; null: not counted, as where days are summed'),
  asOf: utc,
  texts: z
    .record(z.string(), z.array(z.string()))
    .describe('by language, as cards would say it; empty: it has no words for what there is'),
  cards: z
    .record(z.string(), z.array(z.object({ text: z.string(), review: feedItem.shape.review })))
    .describe('the same texts, each with what stands beside it'),
});

export function previewRoute({ db }: { db: Pool }): Route {
  return route({
    at: 'POST /v1/sites/:siteId/notifications/:notificationId/preview',
    id: 'showNotificationPreview',
    says: 'What a notification would say now, whatever its status, and why it is not shown, what it says itself before its status; with the changes that are named, none of which is kept',
    tag: 'notifications',
    who: 'settings',
    of: 'path',
    looks: true,
    takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, optional: true, shape: notificationChanges },
    answers: { 200: answer },
    async run(changes, call) {
      const { siteId } = call.site;
      const at = call.receivedAt;
      const zone = timeZoneOf(call.site);
      call.note({ target: call.params.notificationId! });
      const seen = await inSites(db, siteId, async (tx) => {
        const kept = await oneNotification(tx, siteId, call.params.notificationId!);
        if (!kept) throw unknownNotification();
        const notification = { ...kept, ...definedOf(changes) };
        checkNotification(notification);
        const counted = notification.claim && (await countClaim(tx, siteId, notification, at));
        const mayName = call.site.settings.sensitive !== true;
        return { notification, counted, acts: await actsOf(tx, siteId, notification, at, mayName) };
      });
      const { notification, counted, acts } = seen;
      const built = { asOf: at, zone } as Built;
      const cards = cardsOf(built, notification, counted, acts);
      const texts = Object.fromEntries(
        Object.entries(cards).map(([language, all]) => [language, all.map(({ text }) => text)]),
      );
      // what is wrong with the content first: that is what there is to mend, before it runs too
      const why =
        (notification.status === 'ended' ? 'ended' : null) ??
        (counted && counted.value < notification.claim!.minimum
          ? 'below_minimum'
          : acts?.length === 0
            ? 'nothing_to_tell'
            : Object.values(texts).every((some) => some.length === 0)
              ? 'no_words_for_it'
              : null) ??
        statusWhy(notification, zone, at.getTime());
      call.note({ details: { cards: Object.values(cards)[0]?.length ?? 0 } });
      return {
        showing: why === null,
        why,
        value: counted && said(counted, 'en').value,
        minimum: notification.claim?.minimum ?? null,
        excluded: counted?.excluded ?? null,
        asOf: at.toISOString(),
        texts,
        cards,
      };
    },
  });
}

type PreviewedAct = Act & { review: Card['review'] };

/** null: it tells of no single acts. */
async function actsOf(
  db: Db,
  siteId: string,
  notification: Notification,
  at: Date,
  mayName: boolean,
): Promise<PreviewedAct[] | null> {
  if (notification.kind === 'recent_activity')
    return (await recentActs(db, siteId, notification, at, mayName)).map((act) => ({ ...act, review: null }));
  if (notification.kind !== 'review') return null;
  const { from } = windowOf(notification.kind, notification.claim!, at);
  const reviews = await publishedReviews(db, siteId, notification, from, at, mayName);
  return reviews.map(({ words, beside, ...act }) => ({ ...act, review: { words, beside } }));
}

function cardsOf(
  built: Built,
  notification: Notification,
  counted: Counted | null,
  acts: PreviewedAct[] | null,
): z.output<typeof answer>['cards'] {
  const base = { notification, receipt: '', shown: null, act: null, review: besideCount(notification) };
  const cards: Card[] = acts
    ? acts.map(({ review, ...act }) => ({ ...base, act: { ...act, receipt: '' }, review }))
    : [
        {
          ...base,
          shown: counted && { value: said(counted, 'en').value, isRounded: isOfDays(notification) },
        },
      ];
  return Object.fromEntries(
    Object.keys(notification.texts).map((language) => [
      language,
      cards.flatMap((card) => {
        const text = textOf(built, card, language);
        return text === null ? [] : [{ text, review: card.review?.beside ?? null }];
      }),
    ]),
  );
}

/** What keeps it from showing, whatever it counts. */
export function statusWhy({ status, schedule }: Notification, zone: string, atMs: number): Why | null {
  if (status === 'draft' || status === 'paused' || status === 'ended') return status;
  if (isOpen(schedule, zone, atMs)) return null;
  return status === 'scheduled' ? 'scheduled' : 'outside_schedule';
}
