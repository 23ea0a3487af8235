// What the OpenAPI document says again and again: the admin door, bodies, answers, refusals.
import { z } from 'zod';

export const errorShape = z
  .object({
    ok: z.literal(false),
    error: z.string().regex(/^[a-z0-9_]{1,64}$/),
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Error' });

export const ok = (schema: z.ZodType, description = 'Done') => ({
  description,
  content: { 'application/json': { schema } },
});
export const jsonBody = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
/** Every route may refuse; the code in the body says why. */
export const refusals = {
  default: { description: 'Refused', content: { 'application/json': { schema: errorShape } } },
};
export const adminDoor = { security: [{ adminKey: [] }] };
