// A site's own settings: what each may be, and what must be there before double opt-in can work.
import { z } from 'zod';
import { json } from '../../ground/http/fields.ts';
import type { Issue } from '../../ground/lib/app-error.ts';
import { cutText } from '../../ground/lib/text.ts';
import type { Site } from '../../ground/site.ts';
import { isNetwork } from './staff.ts';

const NO_LINE_BREAKS = /^[^\p{Cc}\u2028\u2029]*$/u;
const line = (max: number) =>
  z.string().trim().min(1).max(max).regex(NO_LINE_BREAKS, 'one line, without control characters');

const known = {
  doubleOptIn: z
    .boolean()
    .describe(
      'express consent waits for the button in a mail; needs senderAddress (or MAIL_SENDER), a name, and SMTP_URL, MAIL_FROM, PUBLIC_URL',
    ),
  impliedConsent: z
    .boolean()
    .describe(
      'whether an inquiry or a purchase implies consent to mail, as in Canada (default true); false, for people in the EU: it stays pending, and mailable leaves out what was implied before',
    ),
  senderName: line(100).describe('who writes, in mails; else the name of the site'),
  senderAddress: line(300).describe(
    'postal address in the foot of mails, which CASL asks for; else MAIL_SENDER',
  ),
  senderContact: line(200).describe(
    'phone, address or web page in the foot; else PRIVACY_CONTACT_EMAIL, else MAIL_FROM',
  ),
  privacyOfficer: line(200).describe(
    'name and title of who is responsible for personal information, as the notice shows it',
  ),
  storedIn: line(200).describe('where the data is stored, as the notice shows it: Montréal, Canada'),
  linking: z
    .enum(['off', 'consent', 'form', 'on'])
    .describe(
      'which visits a lead is tied to: off, none; consent, those of the form’s visitor while the purpose `profile` is agreed to, with words and where asked for the confirmation; form (default), those of the form’s visitor; on, guesses by address too',
    ),
  language: z
    .enum(['en', 'fr'])
    .describe("of our pages and mails where the consent doesn't say one; else the browser's, else English"),
  timeZone: z
    .string()
    .regex(/^(UTC|[A-Z][A-Za-z]+(\/[A-Za-z0-9_+-]+){1,2})$/, 'an IANA name such as America/Toronto, or UTC')
    .describe(
      'whose days the numbers have, default UTC; changed, the days whose raw events are kept are counted again, older ones keep theirs',
    ),
  keepTrailingSlash: z
    .boolean()
    .describe('/about/ and /about are two pages; else the slash is taken off and they are one'),
  hashRoutes: z
    .boolean()
    .describe(
      "the site routes by fragment: of /app#/menu the page is /menu; else fragments are no page's name",
    ),
  staffAddresses: z
    .array(
      z
        .string()
        .trim()
        .refine(isNetwork, 'an address such as 203.0.113.7, or a range such as 203.0.113.0/24'),
    )
    .max(100)
    .describe("the site's own people: visits from these addresses are kept apart, like robots'"),
  staffLink: z
    .string()
    .regex(/^[\w-]{22}$/)
    .describe('made by POST /v1/sites/{siteId}/staff-link; null ends it'),
  staffMarks: z
    .array(z.object({ network: z.string().max(64), until: z.iso.datetime() }))
    .max(100)
    .describe(
      'networks that marked themselves by that link, as keyed hashes; null lets all of them count again',
    ),
  sensitive: z
    .boolean()
    .describe('that somebody was here says too much about them (health, faith, law): nobody is ever named'),
  feedStream: z
    .boolean()
    .describe(
      'whether pages may listen to GET /v1/feed/stream (default false): each that does holds a connection, 300 a process in all',
    ),
  visitorScores: z
    .boolean()
    .describe(
      'whether visitors who agreed to be known again are scored by how they behave (default false); the control and the notice then say so, and who agreed before is not',
    ),
  intentWeights: z
    .record(z.string().min(1).max(64), z.number().min(0).max(0.95))
    .refine((weights) => Object.keys(weights).length <= 50, 'at most 50 event types')
    .describe(
      'how much an event of a type says that its visitor means it, 0 to 0.95, for behaviorScore; default: cta_click 0.1, form_start 0.2, form_submit 0.4, email_verify 0.5, signup and activation 0.6',
    ),
  policyVersion: line(255).describe('of the privacy policy in force; shown by GET /v1/privacy'),
  policyUrl: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .describe('where it stands'),
};
/** How we called it before. */
const RENAMED: Record<string, string> = {
  linkingRequiresConsent: 'is now linking: off, consent, form or on',
};
const NAMES = new Map(Object.keys(known).map((name) => [plain(name), name]));

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Settings that are not ours are kept as they are; one that looks like ours, misspelt, would silently do nothing. */
function noMisspelling(settings: Record<string, unknown>, context: z.RefinementCtx): void {
  for (const name of Object.keys(settings)) {
    const ours = NAMES.get(plain(name));
    if (ours && ours !== name)
      context.addIssue({ code: 'custom', path: [name], message: `is called ${ours}` });
    if (RENAMED[name]) context.addIssue({ code: 'custom', path: [name], message: RENAMED[name] });
    if (name.length > 64)
      context.addIssue({
        code: 'custom',
        path: [cutText(name, 64)],
        message: 'a name of at most 64 characters',
      });
  }
}

/** In the document anything: a typed client could not hold ours, which may be absent, to be JSON as well. */
const others = { override: { additionalProperties: {} } };

export const siteSettings = z
  .object(known)
  .partial()
  .catchall(json)
  .superRefine(noMisspelling)
  .meta({ id: 'SiteSettings', ...others });

export const settingsPatch = z
  .object(
    Object.fromEntries(Object.entries(known).map(([name, rule]) => [name, rule.nullable()])) as {
      [name in keyof typeof known]: z.ZodNullable<(typeof known)[name]>;
    },
  )
  .partial()
  .catchall(json)
  .superRefine(noMisspelling)
  .meta({ id: 'SiteSettingsPatch', ...others });

/** What mails of every site need, and which of it the operator has not set. */
export interface MailFacts {
  missing: string[];
  /** MAIL_SENDER: name and postal address for sites that don't say theirs. */
  sender: string | undefined;
}

/**
 * What keeps double opt-in from being switched on, or from staying on as this change would leave it: a mail that nobody
 * sends, or that doesn't say who writes (CASL: name and postal address), must not be what people wait for.
 * before  the site as it was; null: it is new
 */
export function optInFaults(site: Site, before: Site | null, mail: MailFacts): Issue[] {
  const own = (name: string) => typeof site.settings[name] === 'string';
  if (site.settings.doubleOptIn !== true) return [];
  const faults: Issue[] = [];
  if (before?.settings.doubleOptIn !== true && mail.missing.length > 0)
    faults.push({
      path: 'settings.doubleOptIn',
      message: `needs a mail server: set ${mail.missing.join(', ')} and start again`,
    });
  if (!own('senderName') && !site.name)
    faults.push({
      path: 'settings.senderName',
      message: 'is needed for double opt-in: who writes? (or name the site)',
    });
  if (!own('senderAddress') && !mail.sender)
    faults.push({
      path: 'settings.senderAddress',
      message:
        'is needed for double opt-in: the postal address of who writes, in one line (or set MAIL_SENDER)',
    });
  return faults;
}
