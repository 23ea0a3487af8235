// What can be told to other systems: a name, when it happens, and what it looks like. Ids only, never an address.

export interface TypeOfNews {
  /** When it is told. */
  when: string;
  /** As `data`, for the document and for those who try a connection out. */
  sample: Record<string, unknown>;
  /** Says something of one lead: not for callers who see numbers only. */
  isOfLead?: true;
  /** Told on the stream only. */
  isOurs?: true;
}

const UUID = '00000000-0000-4000-8000-000000000000';

export const TYPES = {
  'notification.updated': {
    when: 'a notification was made, changed, started, paused or ended, by hand, by its schedule or by a test; of a draft that was deleted status is deleted',
    sample: { notificationId: UUID, version: 3, status: 'running' },
  },
  'feed.updated': {
    when: 'what pages are shown became something else, whoever wrote: once, as soon as it was counted for somebody who looks',
    isOurs: true,
    sample: { content: 'Yk0sXSNwn7WDP6m1yVfC2g', asOf: '2026-01-31T12:00:00.000Z' },
  },
  'lead.captured': {
    when: 'a form with an address was stored; not when one is imported',
    isOfLead: true,
    sample: {
      leadId: UUID,
      isNew: true,
      formName: 'newsletter',
      path: '/contact',
      source: 'google',
      capturedAt: '2026-01-31T12:00:00.000Z',
    },
  },
  'conversion.recorded': {
    when: 'a server or an integration told a signup, activation or purchase; again, with voidedAt, when it is voided',
    isOfLead: true,
    sample: {
      conversionId: 'order-1001',
      kind: 'purchase',
      leadId: UUID,
      occurredAt: '2026-01-31T12:00:00.000Z',
      amount: '49.9',
      currency: 'CAD',
      voidedAt: null,
    },
  },
  'review.submitted': {
    when: 'somebody sent a review; not when one is imported',
    isOfLead: true,
    sample: { reviewId: UUID, leadId: UUID, rating: 4, writtenAt: '2026-01-31T12:00:00.000Z' },
  },
  'ab_test.decided': {
    when: 'an A/B test was decided: by its first verdict of better, harmful or inconclusive, before that by whoever chose a winner, or by ending invalid; once a test',
    sample: { testId: UUID, notificationId: UUID, verdict: 'better', variant: 'warm' },
  },
  'plan.warning': {
    when: 'a site’s UTC month came to 80 % of the events or impressions of its plan, and to 100 %: each once a month, and again of a larger plan',
    sample: {
      planId: 'small',
      what: 'events',
      percent: 80,
      used: 80_000,
      limit: 100_000,
      month: '2026-01-01',
    },
  },
  'webhook.dead': {
    when: 'a delivery was given up, or an endpoint was switched off after failures',
    isOurs: true,
    sample: { webhookId: UUID, deliveryId: UUID, why: 'five_days_of_failures' },
  },
} as const satisfies Record<string, TypeOfNews>;
export type NewsType = keyof typeof TYPES;

export const typeOf = (name: string): TypeOfNews | undefined => (TYPES as Record<string, TypeOfNews>)[name];
export const NEWS_TYPES = Object.keys(TYPES) as NewsType[];
/** What endpoints of others can be told. */
export const OUTGOING_TYPES = NEWS_TYPES.filter((name) => !typeOf(name)!.isOurs);
