// Shapes of the register of requests.
import { z } from 'zod';
import { instant, siteName, utc } from '../../ground/http/fields.ts';
import { email } from '../captures/schema.ts';
import { LAWS } from './due.ts';

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
      .enum(LAWS)
      .default('pipeda')
      .describe('until when: pipeda and law25 30 days, gdpr a month, ccpa 45 days'),
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
