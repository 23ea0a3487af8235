// What a capture may look like at the door, as JSON and as a plain HTML form (contract, POST /v1/leads/capture).
import { z } from 'zod';
import { anonId, propertyId } from '../../ground/http/fields.ts';
import { forgive } from '../../ground/http/forgive.ts';
import type { Issue } from '../../ground/lib/app-error.ts';
import { EMAIL_LENGTH_MAX, readAddress } from '../../ground/lib/email.ts';
import { EMAIL, purposesField, readPurposes } from '../consent/purposes.ts';
import { displayInput } from '../display/display.ts';
import { eventPath, referrer, utm } from '../events/schema.ts';
import { submittedFields } from './fields.ts';
import { boundPayload } from './payload.ts';

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
    purposes: purposesField.optional().describe('what for; default email, the one that allows mail'),
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
    display: displayInput
      .optional()
      .describe('of a box of its own, never ticked beforehand: may the person be named on the site'),
    payload: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        'other fields go here too; texts are cut at 8 KB each and 14 KB together, and `_cut` names them',
      ),
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

const OWN = new Set(
  Object.keys(formInput.shape).filter((name) => !['payload', 'utm', 'consent', 'display'].includes(name)),
);
/** Who and where: wrong, they are told. All else comes from scripts, templates and long messages, and costs nobody a lead. */
const IDENTIFYING = new Set(['email', 'propertyId', 'anonId']);
/** Cut, they would not be what was shown, or what was signed. */
const EXACT = new Set([
  'consent.text',
  'consent.textId',
  'display.text',
  'eventId',
  'formToken',
  'challengeToken',
  'redirect',
]);

/**
 * What was sent as a capture, and what of it is not as it was sent.
 * isForm  no browser's id is a person's fault either
 * throws  invalid_request with what has to be mended
 */
export function readCapture(body: unknown, isForm: boolean): { input: CaptureInput; warnings: Issue[] } {
  const { fields, warnings } = submittedFields(body, OWN, isForm);
  if (fields.payload) {
    const bounded = boundPayload(fields.payload as Record<string, unknown>);
    fields.payload = bounded.payload;
    warnings.push(...bounded.warnings);
  }
  const consent = fields.consent as Record<string, unknown> | undefined;
  // whatever was written: a purpose that can't be read must not become mail
  if (consent) consent.purposes = readPurposes(consent.purposes);
  const isFault = (name: string) => IDENTIFYING.has(name) && !(isForm && name === 'anonId');
  const { value, warnings: mended } = forgive(isForm ? formInput : captureInput, fields, isFault, (path) =>
    EXACT.has(path),
  );
  return { input: value, warnings: [...warnings, ...mended, ...withoutEffect(value)] };
}

/** Of the request alone, as all warnings are: it tells nothing about the lead. */
function withoutEffect({ consentStatus, consent }: CaptureInput): Issue[] {
  if (consentStatus !== 'express' || consent?.given === false) return [];
  const warnings: Issue[] = [];
  if (!consent?.text && !consent?.textId)
    warnings.push({
      path: 'consent',
      message:
        'express consent needs the words that were shown (consent.text or consent.textId); recorded as pending',
    });
  if (consent?.purposes && !consent.purposes.includes(EMAIL))
    warnings.push({
      path: 'consent.purposes',
      message: `has no ${EMAIL}: on this consent nobody may be written to; name ${EMAIL} too where mail is meant`,
    });
  return warnings;
}

export const capturedShape = z
  .object({
    submissionId: z.uuid().describe('new each time; GET /v1/leads?submissionId= finds its lead'),
    visitorId: z.uuid().nullable(),
    sessionId: z.uuid().nullable(),
    privacySignal: z
      .literal('honoured')
      .optional()
      .describe('it came with Global Privacy Control or Do Not Track: it ties no browser to anybody'),
    warnings: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('taken, but not as it was sent: cut, left out, kept elsewhere, or less than was meant'),
  })
  .meta({ id: 'Captured' });
