// What a capture may look like at the door, as JSON and as a plain HTML form (contract, POST /v1/leads/capture).
import { z } from 'zod';
import { anonId, propertyId } from '../../ground/http/fields.ts';
import { EMAIL_LENGTH_MAX, readAddress } from '../../ground/lib/email.ts';
import { eventPath, openObject, referrer, utm } from '../events/schema.ts';

const short = z.string().trim().min(1).max(255);

export const email = z
  .string()
  .trim()
  .min(1)
  .max(EMAIL_LENGTH_MAX)
  .transform((typed, context) => {
    const address = readAddress(typed);
    if (!address) context.addIssue({ code: 'custom', message: 'an address such as ada@example.com' });
    return address ?? z.NEVER;
  });

export const consentInput = z
  .object({
    textId: z.guid().optional().describe('a published text of the site (/v1/sites/{siteId}/consent-texts)'),
    text: z.string().trim().min(1).max(8000).optional().describe('else the exact words shown'),
    language: z.string().trim().min(2).max(35).optional(),
    policyVersion: short.optional(),
    purposes: z.union([short.transform((one) => [one]), z.array(short).max(20)]).optional(),
    given: z.boolean().optional().describe('false: the box was not ticked, or was ticked beforehand'),
  })
  .meta({ id: 'ConsentGiven' });

export const captureInput = z
  .object({
    email,
    anonId: anonId.optional().describe('absent: the day visitor'),
    formName: short.default('lead_capture'),
    path: eventPath.optional(),
    referrer: referrer.optional(),
    sourceChannel: short.optional(),
    consentStatus: z
      .enum(['pending', 'express', 'implied'])
      .optional()
      .describe(
        'express needs the words: consent.text or consent.textId; without them it is recorded as pending',
      ),
    consent: consentInput.optional(),
    payload: openObject.optional(),
    utm: utm.optional(),
    propertyId: propertyId.optional(),
    eventId: z.guid().optional().describe("the form_submit event's id, when the browser sent one too"),
    honeypot: z.string().optional(),
    formToken: z.string().max(200).optional().describe('from GET /v1/leads/form-token'),
    challengeToken: z.string().max(4096).optional().describe("Turnstile's answer (cf-turnstile-response)"),
  })
  .meta({ id: 'Capture' });

export const formInput = captureInput.extend({
  redirect: z.string().max(4096).optional(),
});

export type CaptureInput = z.output<typeof formInput>;

const NAMES: Record<string, string> = {
  'cf-turnstile-response': 'challengeToken',
  consentText: 'consent.text',
  consentTextId: 'consent.textId',
  consentLanguage: 'consent.language',
  consentPolicyVersion: 'consent.policyVersion',
  policyVersion: 'consent.policyVersion',
};
const FLAT = new Set(
  Object.keys(formInput.shape).filter((name) => !['payload', 'utm', 'consent'].includes(name)),
);

/** A form's flat fields as the object a JSON client would send; any other field name goes to the payload. */
export function fromForm(body: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const parts: Record<string, Record<string, unknown>> = { payload: {}, utm: {}, consent: {} };
  // a checkbox over a hidden default sends both: the later one is what the person did
  const last = (value: unknown) => (Array.isArray(value) ? value.at(-1) : value);
  for (const [name, value] of Object.entries((body ?? {}) as Record<string, unknown>)) {
    const one = last(value);
    if (one === '' || one === undefined) continue;
    const target = NAMES[name] ?? name;
    if (name in parts && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, entry] of Object.entries(value)) if (entry !== '') parts[name]![key] = entry;
    } else if (target.startsWith('consent.')) parts.consent![target.slice(8)] = one;
    else if (/^utm_/.test(name)) parts.utm![name.slice(4)] = one;
    else if (FLAT.has(target)) result[target] = one;
    else parts.payload![name] = value;
  }
  if (typeof parts.consent!.given === 'string')
    parts.consent!.given = /^(1|true|yes|on)$/i.test(parts.consent!.given);
  for (const [name, fields] of Object.entries(parts))
    if (Object.keys(fields).length > 0) result[name] = fields;
  return result;
}

/** Fields whose fault must not cost a person their submission: they come from scripts and templates, not from typing. */
export const FORGIVEN = new Set([
  'anonId',
  'eventId',
  'path',
  'referrer',
  'utm',
  'sourceChannel',
  'formName',
  'formToken',
  'redirect',
]);

/** What of a valid capture is not taken as the sender may think. Of the request alone: it tells nothing about the lead. */
export function warningsOf({ consentStatus, consent }: CaptureInput): { path: string; message: string }[] {
  if (consentStatus !== 'express' || consent?.given === false || consent?.text || consent?.textId) return [];
  return [
    {
      path: 'consent',
      message:
        'express consent needs the words that were shown (consent.text or consent.textId); recorded as pending',
    },
  ];
}

export const capturedShape = z
  .object({
    leadId: z.uuid(),
    visitorId: z.uuid().nullable(),
    sessionId: z.uuid().nullable(),
    heuristicLinksCreated: z.int().min(0),
    warnings: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('taken, but not as it was perhaps meant: express consent without its words'),
  })
  .meta({ id: 'Captured' });
