// What visitors saw of a notification, or did with it: events of the same batch that begin no visit and count in no number of
// visitors. They are stored by the feature that counts them (product/counting).
import { z } from 'zod';
import { AppError } from '../../ground/lib/app-error.ts';
import type { ArrivedEvent } from './enrich.ts';
import type { EventInput } from './schema.ts';

/** Their types, and what each is called where it is stored. */
const KINDS = new Map([
  ['proof_exposed', 'exposed'],
  ['proof_shown', 'shown'],
  ['proof_hovered', 'hovered'],
  ['proof_clicked', 'clicked'],
  ['proof_dismissed', 'dismissed'],
]);

export interface SeenNotification {
  notification_id: string;
  kind: string;
  variant: string;
  receipt_id: string | undefined;
  /** The test this visitor takes part in with it, and the arm as the server computes it. */
  test_id?: string;
  arm?: string;
}

/** Which arm of a test somebody is in; undefined: that test does not run with this notification. */
export type ArmOf = (
  siteId: string,
  notificationId: string,
  testId: string,
  anonId: string,
) => Promise<string | undefined>;

const props = z.object({
  notificationId: z.guid().transform((id) => id.toLowerCase()),
  variantId: z
    .string()
    .regex(/^[a-z0-9_-]{1,32}$/)
    .default('a'),
  receiptId: z
    .string()
    .regex(/^[\w-]{16,64}$/)
    .nullish(),
  testId: z.guid().nullish().describe('where the browser keeps its id: the test in which it takes part'),
});

export const isOfNotification = (event: EventInput): boolean => KINDS.has(event.eventType);

/**
 * What an event says of a notification.
 * throws  invalid_request, naming the field
 */
export async function readSeen(event: EventInput, siteId: string, armOf: ArmOf): Promise<SeenNotification> {
  const kind = KINDS.get(event.eventType)!;
  const parsed = props.safeParse(event.props ?? {});
  if (!parsed.success)
    throw new AppError('invalid_request', 'It does not say which notification it is about.', {
      issues: parsed.error.issues.map(({ path, message }) => ({
        path: ['props', ...path].join('.'),
        message,
      })),
    });
  if (!event.eventId && event.timestamp == null)
    throw new AppError('invalid_request', 'Without an id or a time nobody can tell it from another one.', {
      issues: [{ path: 'eventId', message: 'give an eventId (a uuid), or a timestamp' }],
    });
  const { notificationId, variantId, receiptId, testId } = parsed.data;
  const arm =
    testId && event.anonId
      ? await armOf(siteId, notificationId, testId.toLowerCase(), event.anonId)
      : undefined;
  const seen = {
    notification_id: notificationId,
    kind,
    // of a test the arm as we compute it, whatever the page says
    variant: arm ?? variantId,
    receipt_id: receiptId ?? undefined,
  };
  return arm === undefined || kind !== 'exposed' ? seen : { ...seen, test_id: testId!.toLowerCase(), arm };
}

/** Why one was not stored. */
export type Unseen = 'unknown_notification' | 'proof_cap';

export interface Outcome {
  /** Its place among those that were handed over, from 1. */
  n: number;
  outcome: Unseen | 'duplicate';
  visitor_id: string;
}

export const refusalOf = (why: Unseen): AppError =>
  why === 'proof_cap'
    ? new AppError(
        'proof_cap',
        'This visitor has done this with this notification 20 times today; more of it is not counted. Nothing needs to be done.',
      )
    : new AppError(
        'unknown_notification',
        'This site has no notification with this id. The page may be older than what it shows; it will ask again.',
        { issues: [{ path: 'props.notificationId', message: 'is not a notification of this site' }] },
      );

/** copies  how often more each of them stood in the batch, by event_id */
export const asSeenJson = (rows: readonly ArrivedEvent[], copies: Map<string, number>): string =>
  JSON.stringify(
    rows.map(({ site_id, event_id, visitor_id, client_at, bot_reason, seen }, i) => ({
      n: i + 1,
      copies: copies.get(event_id) ?? 0,
      site_id,
      event_id,
      visitor_id,
      client_at,
      bot_reason,
      ...seen,
    })),
  );
