// Shapes of the register of requests.
import { z } from 'zod';
import { instant, siteName, utc } from '../../ground/http/fields.ts';
import { email } from '../captures/schema.ts';

/** Days to answer, by the law whoever asks is under; the shortest holds when nobody says which. */
export const DAYS_TO_ANSWER = { pipeda: 30, law25: 30, gdpr: 30, ccpa: 45 } as const;

const kind = z.enum([
  'access',
  'erasure',
  'correction',
  'objection',
  'restriction',
  'withdrawal',
  'portability',
]);
export type RequestKind = z.output<typeof kind>;
const note = z.string().trim().min(1).max(2000);
const outcome = z.enum(['done', 'refused', 'dropped']);

export const newRequest = z
  .object({
    propertyId: siteName,
    kind,
    email: email.optional().describe('of whoever asks; kept as a keyed hash'),
    receivedAt: instant.optional().describe('default now'),
    law: z
      .enum(Object.keys(DAYS_TO_ANSWER) as [keyof typeof DAYS_TO_ANSWER])
      .default('pipeda')
      .describe('days to answer: pipeda, law25, gdpr 30 (a month), ccpa 45'),
    how: z.string().trim().min(1).max(500).optional().describe('by mail, by phone …'),
    note: note.optional(),
  })
  .meta({ id: 'NewPeopleRequest' });

export const requestPatch = z
  .object({
    outcome: outcome
      .nullable()
      .optional()
      .describe('done, refused (say why in note), or dropped by whoever asked; null opens it again'),
    doneAt: instant.optional().describe('with outcome; default now'),
    dueAt: instant.optional().describe('extended, where the law allows it: say why in note'),
    note: note.optional(),
  })
  .meta({ id: 'PeopleRequestPatch' });
export type RequestPatch = z.output<typeof requestPatch>;

export const requestShape = z
  .object({
    requestId: z.uuid(),
    siteId: z.uuid(),
    kind,
    receivedAt: utc,
    dueAt: utc,
    doneAt: utc.nullable().describe('null: open'),
    outcome: outcome.nullable(),
    how: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'PeopleRequest' });
export type PeopleRequest = z.output<typeof requestShape>;
