// The feed as pages get it: GET /v1/feed.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { type Notification, notificationShape } from '../notifications/schema.ts';

const { shape } = notificationShape;

const variant = z.object({
  key: z.string().describe('of the wording: `a` where nothing is tested'),
  text: z.string(),
  style: z.string().describe('a name in `styles`'),
  link: shape.link,
  receipt: z.string().describe('its page is /proof/{receipt}'),
  when: shape.trigger.optional().describe('of a wording with a moment of its own; else as its item'),
});

export const feedItem = z
  .object({
    id: z.uuid().describe('the notification; several cards may be of one'),
    kind: shape.kind,
    variants: z.array(variant).min(1),
    lang: z.string().describe('of its texts, which may be another one than was asked for'),
    named: z
      .boolean()
      .describe(
        'of one person, by name or as “Someone”: asked for again before it shows, when it is older than 15 seconds',
      ),
    source: shape.source.describe('of a message: shown beside it'),
    review: z
      .object({
        rating: z.int().nullable(),
        incentive: z.string().nullable(),
        relationship: z.string().nullable(),
        verified: z.boolean(),
        selected: z.boolean().describe('chosen by their rating: say so'),
      })
      .nullable()
      .describe('what must be said beside a review, or beside a number of reviews that were chosen'),
    where: z.object({
      channels: shape.channels,
      include: z.array(z.string()),
      exclude: z.array(z.string()),
      devices: z.array(z.string()),
      sources: z.array(z.string()),
      languages: z.array(z.string()),
      visitors: z.enum(['all', 'new', 'returning']),
      consent: z.enum(['any', 'full']),
    }),
    when: shape.trigger,
    cap: shape.frequency,
  })
  .meta({ id: 'FeedItem' });
export type FeedItem = z.output<typeof feedItem>;

export const feedShape = z
  .object({
    asOf: utc,
    items: z.array(feedItem).describe('the most important first'),
    tests: z.array(
      z.object({
        testId: z.uuid(),
        notificationId: z.uuid(),
        split: z.array(z.object({ key: z.string(), share: z.number() })),
      }),
    ),
    styles: z
      .record(z.string(), z.object({ css: z.string(), position: z.string(), logo: z.string().nullable() }))
      .describe('by name: a style sheet of variables and paint'),
    words: z.object({
      close: z.string(),
      proof: z.string(),
      source: z.string(),
      selected: z.string(),
      verified: z.string(),
      lang: z.string(),
    }),
  })
  .meta({ id: 'Feed' });
export type Feed = z.output<typeof feedShape>;

/** What an A/B test adds to a feed; made by the room of tests. */
export interface FeedTest {
  testId: string;
  notificationId: string;
  split: { key: string; share: number }[];
  variants: {
    key: string;
    texts?: Record<string, Record<string, string>> | undefined;
    templateId?: string | undefined;
    trigger?: Notification['trigger'] | undefined;
  }[];
}
