// What may be told of people by the customer's own server.
import { z } from 'zod';
import { anonId, instant, siteName } from '../../ground/http/fields.ts';
import { amount, currency } from '../../ground/http/money.ts';
import { displayInput } from '../display/display.ts';

const newConversion = z
  .object({
    id: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .describe('yours; the same id again changes nothing, save that voidedAt voids it'),
    kind: z.enum(['signup', 'activation', 'purchase']),
    email: z.string().trim().max(320).optional(),
    anonId: anonId.optional(),
    occurredAt: instant.optional().describe('default: now'),
    amount: amount.optional(),
    currency: currency.optional(),
    products: z
      .array(z.string().trim().min(1).max(200))
      .max(5)
      .optional()
      .describe('names of what was bought, as notifications may say them'),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
    _mk_display: displayInput
      .optional()
      .describe('whether who bought may be named, by a box of its own in the checkout'),
    voidedAt: instant
      .optional()
      .describe(
        'cancelled or refunded: with an id that is known it voids what was told; it counts nowhere then',
      ),
  })
  .refine(({ email, anonId: browser }) => email !== undefined || browser !== undefined, {
    path: ['email'],
    message: 'give email or anonId',
  })
  .refine(({ amount: given, currency: of }) => (given === undefined) === (of === undefined), {
    path: ['currency'],
    message: 'amount and currency belong together',
  })
  .meta({ id: 'NewConversion' });
export type NewConversion = z.output<typeof newConversion>;

const one = newConversion.and(z.object({ propertyId: siteName }));
const many = z.object({ propertyId: siteName, conversions: z.array(newConversion).min(1).max(500) });

/** One, or up to 500. */
export const conversionsDocument = z.union([many, one]);

export interface ConversionsBody {
  propertyId?: string | undefined;
  conversions: NewConversion[];
  isOne: boolean;
}

const isMany = (body: unknown) => typeof body === 'object' && body !== null && 'conversions' in body;

/** Checked as what it is meant to be, so that a fault is told with the path of its own field. */
export const conversionsBody = z.unknown().transform((body, context): ConversionsBody => {
  const parsed = isMany(body)
    ? many.transform((given) => ({ ...given, isOne: false })).safeParse(body)
    : one
        .transform(({ propertyId, ...each }) => ({ propertyId, conversions: [each], isOne: true }))
        .safeParse(body);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ ...issue, code: 'custom' });
  return z.NEVER;
});

export const toldShape = z.object({
  id: z.string(),
  matched: z.boolean().describe('whether someone of ours is meant'),
  duplicate: z.boolean().describe('whether the id was known'),
});
export type Told = z.output<typeof toldShape>;
