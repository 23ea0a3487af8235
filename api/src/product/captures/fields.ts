// The fields of a submission as the object the schema checks, from a flat form or a script's JSON. Nothing typed is lost:
// what is no field of ours goes to the payload. Pure.
import type { Issue } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';

export type Fields = Record<string, unknown>;

/** Ours, and never told by the page. */
const IGNORED = new Set(['ip', 'visitorId', 'sessionId', 'leadId', 'submissionId']);
/** A template's variable that is empty names nobody. */
const NONE_WHEN_BLANK = new Set(['propertyId', 'anonId', 'honeypot', 'redirect']);
const NAMES: Record<string, string> = {
  'cf-turnstile-response': 'challengeToken',
  consentText: 'consent.text',
  consentTextId: 'consent.textId',
  consentLanguage: 'consent.language',
  consentPolicyVersion: 'consent.policyVersion',
  policyVersion: 'consent.policyVersion',
};
const UTM = /^utm_(source|medium|campaign|term|content)$/;
const GROUPS = ['payload', 'utm', 'consent', 'display'] as const;
const IN_GROUP = /^(payload|utm|consent|display)\[([^[\]]+)\]$/; // the name of a form's field, sent by a script

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBlank = (value: unknown) => value === '' || value === undefined;

/** A checkbox over a hidden default sends both: the later one is what the person did. */
const lastOf = (value: unknown) =>
  Array.isArray(value) ? (value.findLast((entry) => !isBlank(entry)) ?? '') : value;

/**
 * own      names of the fields that stand by themselves
 * isForm   a form's field that is empty was not filled in, and one that comes twice means its last
 * returns  and what of it is not where it was sent
 */
export function submittedFields(
  body: unknown,
  own: ReadonlySet<string>,
  isForm: boolean,
): { fields: Fields; warnings: Issue[] } {
  const fields: Fields = {};
  const groups: Record<(typeof GROUPS)[number], Fields> = { payload: {}, utm: {}, consent: {}, display: {} };
  const others: Fields = {};
  for (const [name, value] of Object.entries(isObject(body) ? body : {})) {
    const one = isForm ? lastOf(value) : value;
    if (IGNORED.has(name) || (isBlank(one) && (isForm || NONE_WHEN_BLANK.has(name)))) continue;
    const target = NAMES[name] ?? name;
    const [, group, key] = IN_GROUP.exec(name) ?? [];
    if (group) groups[group as keyof typeof groups][key!] = value;
    else if (Object.hasOwn(groups, name) && isObject(value))
      for (const [inner, entry] of Object.entries(value)) {
        if (!isForm || !isBlank(entry)) groups[name as keyof typeof groups][inner] = entry;
      }
    else if (target.startsWith('consent.')) groups.consent[target.slice(8)] = one;
    else if (UTM.test(name)) groups.utm[name.slice(4)] = one;
    else if (own.has(target)) fields[target] = one;
    else if (value !== null || !Object.hasOwn(groups, name)) others[name] = value;
  }
  groups.payload = { ...others, ...groups.payload };
  const warnings = [...asAnswers(fields, groups.payload), ...clearConsent(groups.consent)];
  if (fields.email === undefined) findAddress(fields, groups.payload);
  for (const name of GROUPS) if (Object.keys(groups[name]).length > 0) fields[name] = groups[name];
  return { fields, warnings };
}

const STATUSES = new Set(['pending', 'express', 'implied']);
const PAGE = /^(?:\/|https?:\/\/)|^[\w.-]+\.(?:html?|php|aspx?)(?:[?#].*)?$/i;

/** What a field of ours must look like to be one: "Career path" is a form's question, and so is "Where did you hear of us?". */
const IS_OURS: Record<string, (text: string) => boolean> = {
  path: (text) => PAGE.test(text),
  referrer: (text) => /^[a-z][a-z\d+.-]*:\/\/\S/i.test(text),
  consentStatus: (text) => STATUSES.has(text.toLowerCase()),
};

/** What has one of our names and is an answer to a question of the form goes to the payload. */
function asAnswers(fields: Fields, payload: Fields): Issue[] {
  const warnings: Issue[] = [];
  for (const [name, isOurs] of Object.entries(IS_OURS)) {
    const value = fields[name];
    if (typeof value !== 'string' || value.trim() === '') continue;
    if (isOurs(value.trim())) {
      if (name === 'consentStatus') fields[name] = value.trim().toLowerCase();
      continue;
    }
    delete fields[name];
    if (!Object.hasOwn(payload, name)) payload[name] = value;
    warnings.push({ path: name, message: `kept in the payload: it is not what ${name} can be` });
  }
  return warnings;
}

/** Whether the box was ticked, said in any way; what can't be understood is no consent. */
function clearConsent(consent: Fields): Issue[] {
  const { given } = consent;
  if (given === undefined || typeof given === 'boolean') return [];
  const said = String(given).trim();
  consent.given = /^(1|true|yes|on)$/i.test(said);
  if (consent.given || /^(0|false|no|off|null)?$/i.test(said)) return [];
  return [{ path: 'consent.given', message: 'is neither yes nor no; recorded as pending' }];
}

/** Forms of other makers call it EMAIL, e-mail, your-email or _replyto. */
function findAddress(fields: Fields, payload: Fields): void {
  for (const [name, value] of Object.entries(payload)) {
    if (!/mail|^_?reply_?to$/i.test(name)) continue;
    const typed = lastOf(value);
    if (typeof typed !== 'string' || !readAddress(typed)) continue;
    fields.email = typed;
    delete payload[name];
    return;
  }
}
