// Shapes of webhooks at the door.
import { z } from 'zod';
import { instant, openRecord, paging, propertyId, utc } from '../../ground/http/fields.ts';
import { OUTGOING_TYPES, TYPES } from '../outbox/types.ts';
import { OUTCOMES } from './send.ts';

const type = z.enum(OUTGOING_TYPES as [string, ...string[]]);
const WORDS = OUTGOING_TYPES.map((name) => `${name}: ${TYPES[name].when}`).join('; ');
const types = z.array(type).min(1).max(20).describe(WORDS);
const url = z
  .string()
  .trim()
  .min(1)
  .max(2000)
  .refine((text) => URL.canParse(text), 'must be an address such as https://example.com/hook');
const personal = z
  .boolean()
  .describe('whether the address of a lead is sent along; else ids only, which the API tells more of');

export const webhookShape = z
  .object({
    webhookId: z.uuid(),
    kind: z.enum(['endpoint', 'hook']).describe('hook: made by a program for itself, by POST /v1/hooks'),
    url: z.string(),
    types: z.array(z.string()),
    personal: z.boolean(),
    version: z.int().describe('for If-Match'),
    createdAt: utc,
    madeBy: z.string(),
    disabledAt: utc.nullable(),
    disabledWhy: z
      .enum(['by_hand', 'gone', 'failures'])
      .nullable()
      .describe('gone: it answered 410; failures: it failed for five days'),
    failingSince: utc.nullable(),
    dropped: z.int().describe('never delivered, because over 10 000 waited'),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.output<typeof webhookShape>;

export const newWebhook = z
  .object({ url, types, personal: personal.default(false) })
  .meta({ id: 'NewWebhook' });

export const webhookPatch = z
  .object({
    url: url.optional(),
    types: types.optional(),
    personal: personal.optional(),
    enabled: z.boolean().optional().describe('true: on again, also after it was switched off by itself'),
  })
  .meta({ id: 'WebhookPatch' });
export type WebhookPatch = z.output<typeof webhookPatch>;

export const rotation = z
  .object({
    overlapHours: z.int().min(0).max(72).default(24).describe('for so long the secrets of before sign too'),
  })
  .meta({ id: 'WebhookRotation' });

const STATES = ['pending', 'delivered', 'dead'] as const;
export const deliveryShape = z
  .object({
    deliveryId: z.uuid(),
    messageId: z.string().describe('sent as webhook-id, the same on every try'),
    webhookId: z.uuid(),
    type: z.string(),
    happenedAt: utc,
    state: z.enum(STATES),
    dueAt: utc.nullable().describe('of the next try; null: there is none'),
    tries: z.int(),
    attempts: z
      .array(
        z.object({
          at: utc,
          outcome: z.enum(OUTCOMES),
          status: z.int().nullable(),
          ms: z.int(),
        }),
      )
      .describe('the last ones'),
  })
  .meta({ id: 'Delivery' });
export type Delivery = z.output<typeof deliveryShape>;

export const deliveriesQuery = z.object({
  webhookId: z.uuid().optional(),
  state: z.enum(STATES).optional(),
  ...paging(50, 100),
});

export const replay = z
  .object({
    from: instant.describe('by when it happened'),
    to: instant,
    status: z.enum(['dead', 'delivered', 'all']).default('dead'),
  })
  .refine(({ from, to }) => Date.parse(from) <= Date.parse(to), { path: ['to'], message: 'before from' })
  .meta({ id: 'WebhookReplay' });

/** As programs that make hooks for themselves write it. */
export const newHook = z
  .object({ target_url: url, type, propertyId: propertyId.optional() })
  .meta({ id: 'NewHook' });

export const samplesQuery = z.object({ type: type.optional() });
export const sampleShape = z.object({ type: z.string(), timestamp: utc, data: openRecord });
