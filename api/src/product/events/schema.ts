// What an event may look like at the door (contract, POST /v1/events).
import { z } from 'zod';
import { anonId, propertyId } from '../../ground/http/fields.ts';

export const PROPS_BYTES_MAX = 8 * 1024;
export const PROPS_DEPTH_MAX = 8;
export const PROPS_KEYS_MAX = 64;
export const PROPS_TEXT_MAX = 2048;
export const BATCH_EVENTS_MAX = 50;

const within = (max: number) => z.number().min(0).max(max);
const short = z.string().trim().min(1).max(255);

/** What is too much in an open object: null when nothing is. */
function excess(value: unknown): string | null {
  let keys = 0;
  let charactersAtMost = 2;
  const walk = (part: unknown, depth: number): string | null => {
    charactersAtMost += typeof part === 'string' ? 3 + part.length : 26; // quotes and comma; the longest number
    if (typeof part === 'string')
      return part.length > PROPS_TEXT_MAX ? `holds a text of over ${PROPS_TEXT_MAX} characters` : null;
    if (typeof part !== 'object' || part === null) return null;
    if (depth > PROPS_DEPTH_MAX) return `is nested deeper than ${PROPS_DEPTH_MAX}`;
    const isList = Array.isArray(part);
    for (const key of Object.keys(part)) {
      if (!isList) keys += 1;
      if (!isList) charactersAtMost += key.length + 3;
      if (keys > PROPS_KEYS_MAX) return `has over ${PROPS_KEYS_MAX} keys`;
      if (!isList && key.length > PROPS_TEXT_MAX) return `has a key of over ${PROPS_TEXT_MAX} characters`;
      const fault = walk((part as Record<string, unknown>)[key], depth + 1);
      if (fault) return fault;
    }
    return null;
  };
  return (
    walk(value, 1) ??
    // a character has six bytes at most (\\u0000); most props are far too small to be measured exactly
    (charactersAtMost * 6 > PROPS_BYTES_MAX && Buffer.byteLength(JSON.stringify(value)) > PROPS_BYTES_MAX
      ? `is larger than ${PROPS_BYTES_MAX / 1024} KB`
      : null)
  );
}

/** An object the client fills as it likes: `props` of an event, `payload` of a capture. */
export const openObject = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const fault = excess(value);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});

export const eventPath = z.string().trim().min(1).max(2048);
export const referrer = z.string().trim().min(1).max(2048);

export const utm = z
  .object({
    source: short.optional(),
    medium: short.optional(),
    campaign: short.optional(),
    term: short.optional(),
    content: short.optional(),
  })
  .meta({ id: 'Utm' });

export const traffic = z.object({
  propertyId: propertyId.optional(),
  deviceType: z.enum(['desktop', 'mobile', 'tablet', 'bot', 'unknown']).optional(),
  countryCode: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'two letters')
    .transform((code) => code.toUpperCase())
    .optional(),
  isEntrance: z
    .boolean()
    .optional()
    .describe('taken, not used: entrances are the first page_view of a session'),
  isExit: z.boolean().optional().describe('taken, not used: exits are the last page_view of a session'),
  isConversion: z.boolean().optional(),
  engagedTimeMs: within(86_400_000).optional(),
  scrollDepthPercent: within(100).optional(),
  webVitals: z
    .object({
      fcpMs: within(120_000).optional(),
      lcpMs: within(120_000).optional(),
      inpMs: within(120_000).optional(),
      ttfbMs: within(120_000).optional(),
      clsScore: within(10).optional(),
    })
    .optional(),
});

const EPOCH_MS_MAX = 8.64e15;
const timestamp = z.union(
  [
    z.number().min(0).max(EPOCH_MS_MAX),
    z.iso.datetime({ offset: true, local: true }),
    z.iso.date(),
    z.string().regex(/^\d{9,14}(\.\d{1,6})?$/),
  ],
  {
    error: 'an ISO 8601 instant, or epoch milliseconds or seconds',
  },
);
/** Epoch milliseconds of the browser's clock when it sent; what is no such number says nothing. */
const sentAt = z.number().min(0).max(EPOCH_MS_MAX).optional().catch(undefined);

export const eventInput = z
  .object({
    eventId: z.guid().optional().describe('made by the client when the event happened, kept on resends'),
    anonId: anonId.optional().describe('absent: a day visitor'),
    eventType: z.string().trim().min(1).max(64),
    path: eventPath,
    timestamp: timestamp.nullish().describe('epoch seconds are told from milliseconds by their size'),
    sentAt: sentAt.describe(
      "the browser's clock when it sent, in epoch milliseconds: an offset of over 5 s is taken off",
    ),
    referrer: referrer.optional(),
    utm: utm.optional(),
    propertyId: propertyId.optional(),
    traffic: traffic.optional(),
    props: openObject.optional(),
    honeypot: z.string().optional(),
  })
  .meta({ id: 'Event' });

export type EventInput = z.output<typeof eventInput>;

export const batchInput = z.object({ events: z.array(z.unknown()).min(1).max(BATCH_EVENTS_MAX), sentAt });

/** For the OpenAPI document: a batch is validated event by event, so that one bad event costs no other. */
export const batchDocument = z
  .object({ events: z.array(eventInput).min(1).max(BATCH_EVENTS_MAX), sentAt })
  .meta({ id: 'EventBatch' });

/** What was taken, but not as it was sent; absent where all of it was. */
export const warningsShape = z
  .array(z.object({ path: z.string(), message: z.string() }))
  .optional()
  .describe('fields that were left out or cut; the rest is stored');

export const storedShape = z
  .object({
    eventId: z.uuid(),
    visitorId: z.uuid(),
    sessionId: z.uuid().nullable(),
    duplicate: z.literal(true).optional(),
    warnings: warningsShape,
  })
  .meta({ id: 'StoredEvent' });
