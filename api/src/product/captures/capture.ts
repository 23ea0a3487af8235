// Makes a capture out of a validated request, and stores it in one round trip.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Site } from '../../ground/site.ts';
import { EMAIL, PROFILE } from '../consent/purposes.ts';
import { displayWanted } from '../display/display.ts';
import {
  type ArrivedEvent,
  enrich,
  type RequestFacts,
  UNKNOWN_PATH,
  uuidv7,
  visitorIdOf,
} from '../events/enrich.ts';
import { readPath } from '../events/paths.ts';
import { sourceOf } from '../events/source.ts';
import { policyVersionOf, type SenderDefaults, senderOf } from '../sites/sender.ts';
import { domainClass } from './domains.ts';
import type { CaptureInput } from './schema.ts';
import type { Sign } from './spam.ts';

/** What capture_lead() takes; also what the journal keeps while the database is away. Instants are ISO, digests \x hex. */
export interface Capture {
  site_id: string;
  lead_id: string;
  submission_id: string;
  received_at: string;
  email: string;
  email_normalized: string;
  email_domain: string;
  domain_class: string;
  email_hash: string;
  unsubscribe_key: string;
  /** null: without an id of the browser's, and the day's salt could not be read */
  event: ArrivedEvent | null;
  body_key: string;
  inactivity: string;
  form_name: string;
  path: string | null;
  referrer: string | null;
  source: string;
  source_channel: string | null;
  utm: unknown;
  payload: unknown;
  /** Values of the site's own fields of leads; absent: none was sent. */
  fields?: Record<string, unknown>;
  privacy_signal: boolean;
  ip_hash: string;
  ua_hash: string;
  heuristics: boolean;
  window_minutes: number;
  /** Whether the lead may be tied to its form's visitor; else only the form's own visit says where it came from. */
  links: boolean;
  /** Only while the lead has agreed to that, which storing it decides; absent: as the site has it then. */
  links_by_consent?: boolean;
  spam_score: number;
  /** Not empty: it goes to quarantine. */
  suspicions: string[];
  consent: Record<string, unknown>;
  /** As record_display takes it; absent or null: nobody may be named. */
  display?: Record<string, unknown> | null;
  /** As record_review takes it; absent or null: it is none. */
  review?: Record<string, unknown> | null;
  is_release?: boolean;
}

export interface CaptureSettings {
  pepper: string;
  inactivityMinutes: number;
  heuristics: boolean;
  windowMinutes: number;
  senderDefaults: SenderDefaults;
}

/** HMAC of an address on a site: how erasures and unsubscribes know an address they must not keep. */
export function emailHash(pepper: string, siteId: string, normalized: string): string {
  return `\\x${createHmac('sha256', pepper).update(`address ${siteId} ${normalized}`).digest('hex')}`;
}

type Linking = 'off' | 'consent' | 'form' | 'on';

/** Whether what this person did on the site may be tied to their address, as far as the site and this form go. */
function mayLink(linking: Linking, { consent }: CaptureInput): boolean {
  if (linking === 'consent' && consent?.given === false) return !consent.purposes?.includes(PROFILE);
  return linking !== 'off';
}

/** A site's own settings that captures heed. */
export function leadSettings(site: Site) {
  const { doubleOptIn, linking = 'form' } = site.settings;
  return { doubleOptIn: doubleOptIn === true, linking: linking as Linking };
}

/** Of a lead without a visit: a page of the site itself says nothing of where the person came from. */
function sourceWithout(
  utm: CaptureInput['utm'],
  clickIds: string[],
  referrer: string | undefined,
  { ownHosts }: RequestFacts,
): string {
  const source = sourceOf({ utm, clickIds, referrer, ownHosts });
  return source === 'carried' ? 'direct' : source;
}

export function makeCapture(
  input: CaptureInput,
  site: Site,
  facts: RequestFacts,
  request: { receivedAt: Date; page: string | undefined; score: number; suspicions: Sign[] },
  settings: CaptureSettings,
): Capture {
  const { email } = input;
  const receivedAt = request.receivedAt.toISOString();
  const path = input.path ?? pathOf(request.page);
  const digest = createHmac('sha256', settings.pepper)
    .update(
      JSON.stringify([
        site.siteId,
        email.normalized,
        input.formName,
        input.anonId ?? facts.dayVisitor?.id ?? facts.client.ipHash,
        input.payload ?? null,
      ]),
    )
    .digest('hex');
  const bodyKey = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  let event: ArrivedEvent | null = null;
  if (input.anonId || facts.dayVisitor) {
    event = {
      ...enrich(
        {
          anonId: input.anonId,
          eventType: 'form_submit',
          path: path ?? UNKNOWN_PATH,
          eventId: input.eventId,
          referrer: input.referrer,
          utm: input.utm,
          props: { formName: input.formName, role: 'lead' },
        },
        facts,
        null,
      ),
      // the same form again within 30 s, when the browser named no event
      body_key: input.eventId ? undefined : bodyKey,
      received_at: receivedAt,
      follows: true,
    };
    if (path === null) event.path = UNKNOWN_PATH;
    // A form has no source of its own: its session carries the one before.
    if (event.source === 'direct') event.source = 'carried';
    if (request.suspicions.length > 0) event.bot_reason ??= 'spam';
  }
  const read = path === null ? NOWHERE : readPath(path, facts.pathRules);
  const utm = input.utm ?? read.utm;
  const own = leadSettings(site);
  return {
    site_id: site.siteId,
    lead_id: uuidv7(),
    submission_id: randomUUID(), // it leaves by a public route: it says nothing, not even when
    received_at: receivedAt,
    email: email.email,
    email_normalized: email.normalized,
    email_domain: email.domain,
    domain_class: domainClass(email.domain),
    email_hash: emailHash(settings.pepper, site.siteId, email.normalized),
    unsubscribe_key: randomBytes(24).toString('base64url'),
    event,
    body_key: bodyKey,
    inactivity: `${settings.inactivityMinutes} minutes`,
    form_name: input.formName,
    path: read.path,
    referrer: event?.referrer ?? input.referrer?.split(/[?#]/, 1)[0] ?? null,
    source: sourceWithout(utm, read.clickIds, input.referrer, facts),
    source_channel: input.sourceChannel ?? null,
    utm: utm && Object.keys(utm).length > 0 ? utm : null,
    payload: input.payload && Object.keys(input.payload).length > 0 ? input.payload : null,
    privacy_signal: facts.privacySignal,
    ip_hash: facts.client.ipHash,
    ua_hash: facts.client.uaHash,
    links: mayLink(own.linking, input),
    links_by_consent: own.linking === 'consent',
    heuristics: settings.heuristics && own.linking === 'on' && !facts.privacySignal,
    window_minutes: settings.windowMinutes,
    spam_score: request.score,
    suspicions: request.suspicions,
    display: displayOf(input, site, {
      occurredAt: receivedAt,
      page: read.path,
      privacySignal: facts.privacySignal,
    }),
    consent: {
      ...consentOf(input, site, settings.senderDefaults),
      occurred_at: receivedAt,
      page: read.path,
      ip_hash: facts.client.ipHash,
      ua_hash: facts.client.uaHash,
      privacy_signal: facts.privacySignal,
      double_opt_in: own.doubleOptIn,
      token: own.doubleOptIn ? randomBytes(24).toString('base64url') : undefined,
    },
  };
}

const NAME_FIELDS = ['firstName', 'first_name', 'first-name', 'givenName', 'given_name', 'fname', 'name'];

/** A name that was typed into a field of the form. */
export function typedName(payload: CaptureInput['payload']): string | undefined {
  const typed = NAME_FIELDS.map((name) => payload?.[name]).find((value) => typeof value === 'string');
  return (typed as string | undefined)?.slice(0, 100);
}

/** What of the person may be shown, by the box of its own; the name may be a field of the form. */
function displayOf(
  { display, payload, formName }: CaptureInput,
  { settings }: Site,
  facts: { occurredAt: string; page: string | null; privacySignal: boolean },
): Record<string, unknown> | null {
  if (!display || settings.sensitive === true) return null;
  const name = display.name ?? typedName(payload);
  return displayWanted({ ...display, name }, { ...facts, basis: 'form', formName });
}

/** What the person was asked, by whom, and what they did; as record_consent takes it. */
function consentOf(
  { consent, consentStatus, formName, sourceChannel }: CaptureInput,
  site: Site,
  defaults: SenderDefaults,
): Record<string, unknown> {
  const declined = consent?.given === false;
  return {
    status: declined ? 'pending' : (consentStatus ?? 'pending'),
    basis: 'form',
    purposes: consent?.purposes ?? [EMAIL],
    words: declined ? undefined : consent?.text,
    text_id: declined ? undefined : consent?.textId,
    language: consent?.language,
    policy_version: consent?.policyVersion ?? policyVersionOf(site),
    form_name: formName,
    source: sourceChannel,
    sender: senderOf(site, defaults),
  };
}

const NOWHERE = { path: null, utm: undefined, clickIds: [] };

/** To other hosts browsers name the page's origin alone, which looks like its front page: then nobody knows which page it was. */
function pathOf(page: string | undefined): string | null {
  const url = page ? URL.parse(page) : null;
  return url && url.pathname + url.search !== '/' ? url.pathname : null;
}

/** The answer to something that was not stored but must look as if (honeypot). */
export const pretendedCapture = (siteId: string, anonId: string | undefined) => ({
  submissionId: randomUUID(),
  visitorId: anonId ? visitorIdOf(siteId, anonId) : null,
  sessionId: anonId ? uuidv7() : null,
});
