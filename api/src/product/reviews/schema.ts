// Shapes of reviews at the door.
import { z } from 'zod';
import { instant, utc } from '../../ground/http/fields.ts';
import { captureInput, formInput } from '../captures/schema.ts';
import { displayInput, FIELDS } from '../display/display.ts';

export const WORDS_MAX = 4000;
const line = (max: number) => z.string().trim().min(1).max(max);

/** What makes a capture a review. */
export const reviewFields = z.object({
  rating: z.coerce.number().int().min(1).max(5).optional().describe('1 to 5'),
  text: line(WORDS_MAX).optional().describe('as it may be shown: never changed, never shortened'),
  language: line(35).optional(),
  product: line(200).optional(),
  incentive: line(200).optional().describe('what was given for it; always shown beside it'),
  relationship: line(200).optional().describe('to the shop: staff, family, …; always shown beside it'),
});
export type ReviewFields = z.output<typeof reviewFields>;

const permission = displayInput
  .optional()
  .describe(
    'of a box of its own, never ticked beforehand: may exactly these words be published, and what of the person beside them',
  );
export const reviewInput = captureInput
  .omit({ payload: true, display: true })
  .extend({ ...reviewFields.shape, display: permission })
  .meta({ id: 'NewReview' });
export const reviewForm = formInput
  .omit({ payload: true, display: true })
  .extend({ ...reviewFields.shape, display: permission })
  .describe(
    'the same fields flat: display[text], display[name] …, redirect; with Accept: application/json the answer is JSON',
  );

export const STATUSES = ['waiting', 'published', 'declined'] as const;
/** None of them is a low rating. */
export const REASONS = [
  'spam',
  'fake',
  'duplicate',
  'off_topic',
  'abusive',
  'unlawful',
  'personal_data',
  'asked_by_author',
] as const;

export const reviewShape = z
  .object({
    reviewId: z.uuid(),
    version: z.int().describe('for If-Match'),
    status: z.enum(STATUSES),
    reason: z.enum(REASONS).nullable().describe('of a declined one'),
    note: z.string().nullable(),
    rating: z.int().nullable(),
    text: z.string().nullable(),
    language: z.string().nullable(),
    product: z.string().nullable(),
    incentive: z.string().nullable(),
    relationship: z.string().nullable(),
    verified: z
      .boolean()
      .describe(
        'this person bought it, as your server or shop told, before they wrote; not cancelled or refunded',
      ),
    permission: z
      .enum(['none', 'granted', 'withdrawn'])
      .describe('to publish exactly this text; without it nothing of it is shown'),
    fields: z.array(z.enum(FIELDS)).describe('what of the person may stand beside it'),
    name: z.string().nullable().describe('as it may be shown'),
    leadId: z.uuid().nullable().describe('null: imported without an address, or its person is gone'),
    source: z.string().describe('form, or where it was imported from'),
    sourceUrl: z.string().nullable(),
    writtenAt: utc,
    receivedAt: utc,
    decidedAt: utc.nullable(),
    decidedBy: z.string().nullable(),
  })
  .meta({ id: 'Review' });
export type Review = z.output<typeof reviewShape>;

export const averageShape = z
  .object({
    rating: z
      .number()
      .nullable()
      .describe('of every rating that is not declined, whatever its status or permission; null: none'),
    ratings: z.int(),
    reviews: z.int().describe('those too that have no rating'),
    declined: z.int(),
    excluded: z.object({ bots: z.int(), staff: z.int() }),
  })
  .meta({ id: 'ReviewAverage' });
export type ReviewAverage = z.output<typeof averageShape>;

const told = z
  .strictObject({
    text: line(2000).describe('the words they agreed to'),
    receivedAt: instant.refine((at) => Date.parse(at) <= Date.now() + 60_000, 'is in the future'),
    how: line(2000).describe('where the proof is: a letter, a mail'),
    fields: z.array(z.enum(FIELDS)).max(3).default([]),
    name: line(100).optional(),
    city: line(100).optional(),
    region: line(100).optional(),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
  })
  .meta({ id: 'ToldReviewPermission' });

export const reviewPatch = z
  .strictObject({
    status: z.enum(STATUSES).optional(),
    reason: z.enum(REASONS).optional().describe('needed to decline; a low rating is none'),
    note: line(500).nullable().optional(),
    product: line(200).nullable().optional(),
    incentive: line(200).optional().describe('added or corrected, never taken away'),
    relationship: line(200).optional().describe('added or corrected, never taken away'),
    permission: told
      .nullable()
      .optional()
      .describe(
        'as they told it in writing; null: they took it back, and with it everything that may be shown of them',
      ),
  })
  .refine(({ status, reason }) => (status === 'declined') === (reason !== undefined), {
    path: ['reason'],
    message: 'say why, when it is declined and only then; a low rating is no reason',
  })
  .refine(({ status, permission: given }) => !(status === 'published' && given === null), {
    path: ['permission'],
    message: 'without it nothing is published',
  })
  .meta({ id: 'ReviewPatch' });
export type ReviewPatch = z.output<typeof reviewPatch>;
