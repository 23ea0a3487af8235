// Shapes of custom fields at the door.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';

export const FIELDS_MAX = 50;
const OPTIONS_MAX = 100;
export const FIELD_TYPES = ['text', 'number', 'boolean', 'date', 'enum'] as const;

/** Ours: what a form, an event or a card tells by these names is no field of the site's. */
const OURS = new Set([
  'formName',
  'role',
  'notificationId',
  'variantId',
  'receiptId',
  'testId',
  '_cut',
  '__proto__',
  'constructor',
  'prototype',
]);

const option = z.string().trim().min(1).max(100);
const options = z
  .array(option)
  .min(1)
  .max(OPTIONS_MAX)
  .refine((all) => new Set(all).size === all.length, 'each once')
  .describe('of an enum: what a value may be, letter by letter');
const personal = z
  .boolean()
  .describe('says something of a person: not shown to who may not see who a lead is');

export const customFieldShape = z
  .object({
    fieldId: z.uuid(),
    name: z.string(),
    fieldType: z.enum(FIELD_TYPES),
    on: z.enum(['lead', 'visitor', 'event']),
    personal,
    options: z.array(z.string()).nullable().describe('null: it is no enum'),
    version: z.int().describe('for If-Match'),
    createdAt: utc,
    updatedAt: utc,
  })
  .meta({ id: 'CustomField' });
export type CustomField = z.output<typeof customFieldShape>;

export const newCustomField = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .refine((name) => !OURS.has(name), 'is a name of ours')
      .describe('of the field of the form (lead), or of the prop of the event (visitor, event)'),
    fieldType: z.enum(FIELD_TYPES),
    on: z.enum(['lead', 'visitor', 'event']).describe('whose it is: a lead’s, a known visitor’s, an event’s'),
    personal: personal.default(true),
    options: options.optional(),
  })
  .superRefine(({ fieldType, options: said }, context) => {
    if ((fieldType === 'enum') === (said !== undefined)) return;
    const message = said ? 'only an enum has options' : 'an enum needs them: ["small", "large"]';
    context.addIssue({ code: 'custom', path: ['options'], message });
  })
  .meta({ id: 'NewCustomField' });
export type NewCustomField = z.output<typeof newCustomField>;

export const customFieldPatch = z
  .object({ personal: personal.optional(), options: options.optional() })
  .meta({ id: 'CustomFieldPatch' });
export type CustomFieldPatch = z.output<typeof customFieldPatch>;
