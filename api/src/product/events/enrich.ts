// Pure: an event and the facts of its request become a row. No clock, no database: PostgreSQL clamps and cuts.
import { hash, randomBytes } from 'node:crypto';
import type { Call } from '../../ground/http/call.ts';
import type { Client } from '../../ground/http/client.ts';
import type { Site } from '../../ground/site.ts';
import { hostsOf, pathRulesOf } from '../sites/recognise.ts';
import { isStaff } from '../sites/staff.ts';
import type { DayVisitor } from './day-visitor.ts';
import type { SeenNotification } from './notification-events.ts';
import { type PathRules, readPath, readReferrer, withoutAddresses } from './paths.ts';
import { isReferrerSpam } from './referrer-spam.ts';
import type { EventInput } from './schema.ts';
import { sourceOf, type Utm } from './source.ts';
import { readUserAgent, type UserAgent } from './user-agent.ts';

/** One row of `arrived`, with the fields of the type arrived_event. */
export interface ArrivedEvent {
  site_id: string;
  event_id: string;
  body_key?: string | undefined;
  visitor_id: string;
  /** ISO instant of the client's clock; absent: the moment of arrival. */
  client_at?: string | undefined;
  /** Only for recorded or made-up days: when it arrived then. */
  received_at?: string | undefined;
  event_type: string;
  path: string;
  referrer?: string | undefined;
  source: string;
  utm?: Utm | undefined;
  bot_reason?: string | undefined;
  privacy_signal: boolean;
  is_conversion: boolean;
  engaged_ms?: number | undefined;
  scroll_percent?: number | undefined;
  fcp_ms?: number | undefined;
  lcp_ms?: number | undefined;
  inp_ms?: number | undefined;
  ttfb_ms?: number | undefined;
  cls_score?: number | undefined;
  props?: Record<string, unknown> | undefined;
  ip_hash?: string | undefined;
  ua_hash?: string | undefined;
  device_type: string;
  browser?: string | undefined;
  os?: string | undefined;
  country?: string | undefined;
  /** A day visitor's id of yesterday: theirs, when a visit goes on past midnight. */
  day_before?: string | undefined;
  is_day_visitor?: boolean | undefined;
  /** Told by another clock than the browser's: in the middle of a visit it is never its first touch. */
  follows?: boolean | undefined;
  /** Its site links by address: so it can be found by one. */
  is_linkable?: boolean | undefined;
  /** What was seen of a notification, or done with it: stored in a table of its own, and no part of a visit. */
  seen?: SeenNotification | undefined;
}

export interface RequestFacts {
  siteId: string;
  /** Hosts of the site itself. */
  ownHosts: string[];
  client: Pick<Client, 'ipHash' | 'uaHash' | 'userAgent'>;
  /** Two letters, or null when nobody knows. */
  country: string | null;
  privacySignal: boolean;
  prefetch: boolean;
  /** When it arrived, for the offset of the browser's clock. */
  receivedMs?: number;
  /** No page sent it: it names no origin. */
  fromServer?: boolean;
  /** Who it is when the browser has no id of its own. */
  dayVisitor?: DayVisitor | undefined;
  /** HEAD, which asks for a page's picture without looking at it. */
  isHead?: boolean;
  /** One of the site's own people. */
  isStaff?: boolean;
  /** The site links by address. */
  isLinkable?: boolean;
  /** Absent: the standard ones. */
  pathRules?: PathRules;
}

/** Two letters for an address, or null. */
export type CountryOf = (address: string) => string | null;

export function requestFacts(call: Call, site: Site, countryOf: CountryOf | null): RequestFacts {
  const { client } = call;
  return {
    siteId: site.siteId,
    ownHosts: hostsOf(site),
    client,
    country: countryOf ? countryOf(client.address) : null,
    privacySignal: call.privacySignal,
    prefetch: call.isPrefetch,
    receivedMs: call.receivedMs,
    fromServer: call.headers.origin === undefined,
    isHead: call.isHead,
    isStaff: isStaff(site, client, call.receivedMs),
    isLinkable: site.settings.linking === 'on',
    pathRules: pathRulesOf(site),
  };
}

function asUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Of our own making (version 8), from a digest: equal things get equal ids in every process. Writes into it. */
export function asOwnUuid(digest: Buffer): string {
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return asUuid(digest);
}

/** As asOwnUuid; a digest that is a text from the start costs half of one that was bytes. */
function digestId(...parts: string[]): string {
  let text = '';
  // lengths keep ('ab', 'c') apart from ('a', 'bc'); the one-shot hash costs a third of a Hash object
  for (const part of parts) text += `${part.length}:${part}`;
  const hex = hash('sha256', text, 'hex');
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Time-ordered, like PostgreSQL's uuidv7(): new ids land at the end of an index. */
export function uuidv7(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return asUuid(bytes);
}

/** Of an event whose page nobody told: an origin alone is no page. */
export const UNKNOWN_PATH = '(unknown)';

/** The visitor an anonId means on a site. The anonId itself is not kept. */
export function visitorIdOf(siteId: string, anonId: string): string {
  return digestId('visitor', siteId, anonId);
}

/** Of a visitor's answer to the consent control; one that is told twice is one. */
export function choiceIdOf(siteId: string, minted: string): string {
  return digestId('choice', siteId, minted);
}

/** What the event says, and of the rest what its path says. */
function campaignOf(said: Utm | undefined, ofPath: Utm | undefined): Utm | undefined {
  if (!said) return ofPath;
  const utm: Record<string, string | undefined> = { ...ofPath };
  for (const [name, value] of Object.entries(said)) if (value) utm[name] = withoutAddresses(value);
  return Object.keys(utm).length > 0 ? utm : undefined;
}

/** Why this is not a visitor's doing, as far as one request shows; undefined: it may be. */
function botReason(
  facts: RequestFacts,
  agent: UserAgent,
  deviceType: string | undefined,
  referrer: string | undefined,
): string | undefined {
  if (facts.prefetch) return 'prefetch';
  if (facts.isHead) return 'head';
  if (facts.client.userAgent.trim() === '') return 'no_user_agent';
  if (agent.isBot) return 'user_agent';
  if (deviceType === 'bot') return 'declared';
  if (referrer && isReferrerSpam(referrer)) return 'referrer_spam';
  return facts.isStaff ? 'staff' : undefined;
}

// Less than this many is a time in seconds: as milliseconds it would lie before 1973.
const EPOCH_MS_MIN = 1e11;
// What a request takes, and what clocks are off without anyone minding.
const CLOCK_OFFSET_MS = 5000;

const epochMs = (value: number) => (value < EPOCH_MS_MIN ? value * 1000 : value);

/** Epoch milliseconds of a time as the browser's clock gave it. */
function clientMs(value: string | number): number {
  if (typeof value === 'number') return epochMs(value);
  if (/^\d+(\.\d+)?$/.test(value)) return epochMs(Number(value));
  return Date.parse(!/([zZ]|[+-]\d\d:?\d\d)$/.test(value) && value.includes('T') ? `${value}Z` : value);
}

/** By how much the browser's clock is ahead of ours: what lies between sending and arrival. 0: near enough, or unknown. */
function clockOffset(atMs: number, sentAt: number | undefined, receivedMs: number | undefined): number {
  if (sentAt === undefined || receivedMs === undefined) return 0;
  const sentMs = epochMs(sentAt);
  // Sent before it happened: not the same clock.
  if (atMs - sentMs > CLOCK_OFFSET_MS) return 0;
  const offset = sentMs - receivedMs;
  return Math.abs(offset) > CLOCK_OFFSET_MS ? offset : 0;
}

/** Who it is: the browser's own id, or the day visitor; a visit before midnight was yesterday's. */
function whoIs(event: EventInput, facts: RequestFacts): { visitorId: string; day: DayVisitor | undefined } {
  if (event.anonId) return { visitorId: visitorIdOf(facts.siteId, event.anonId), day: undefined };
  const { dayVisitor } = facts;
  if (!dayVisitor) throw new Error('neither an id of the browser nor a day visitor');
  return { visitorId: dayVisitor.id, day: dayVisitor };
}

const DAY_MS = 86_400_000;
const wasYesterday = (atMs: number, receivedMs: number) => {
  const midnight = receivedMs - (receivedMs % DAY_MS);
  return atMs < midnight && atMs >= midnight - DAY_MS;
};

/**
 * event   validated
 * body    the event as sent (cleaned), to recognise the same body sent again without id and time
 */
export function enrich(event: EventInput, facts: RequestFacts, body: unknown): ArrivedEvent {
  const { visitorId, day } = whoIs(event, facts);
  const { path, utm: pathUtm, clickIds } = readPath(event.path, facts.pathRules);
  const utm = campaignOf(event.utm, pathUtm);
  const referrer = readReferrer(event.referrer);
  const agent = readUserAgent(facts.client.userAgent);
  const traffic = event.traffic ?? {};
  const vitals = traffic.webVitals ?? {};
  const saidMs = event.timestamp == null ? undefined : clientMs(event.timestamp);
  const said = saidMs === undefined ? undefined : new Date(saidMs).toISOString();
  // sent again it has the same id, whatever the clock was set to meanwhile
  const who =
    (day && saidMs !== undefined && facts.receivedMs !== undefined && wasYesterday(saidMs, facts.receivedMs)
      ? day.before
      : undefined) ?? visitorId;
  const offset = saidMs === undefined ? 0 : clockOffset(saidMs, event.sentAt, facts.receivedMs);
  const clientAt = offset === 0 ? said : new Date(saidMs! - offset).toISOString();
  const device = traffic.deviceType ?? agent.deviceType;
  return {
    site_id: facts.siteId,
    event_id:
      event.eventId?.toLowerCase() ??
      (said ? digestId('event', who, event.eventType, event.path, said) : uuidv7()),
    body_key: event.eventId || said ? undefined : digestId('body', visitorId, stableJson(body)),
    visitor_id: visitorId,
    client_at: clientAt,
    event_type: event.eventType,
    path,
    referrer,
    source: sourceOf({ utm, clickIds, referrer, ownHosts: facts.ownHosts }),
    utm,
    bot_reason: botReason(facts, agent, traffic.deviceType, referrer),
    privacy_signal: facts.privacySignal,
    is_conversion: traffic.isConversion ?? false,
    engaged_ms: traffic.engagedTimeMs === undefined ? undefined : Math.round(traffic.engagedTimeMs),
    scroll_percent: traffic.scrollDepthPercent,
    fcp_ms: vitals.fcpMs,
    lcp_ms: vitals.lcpMs,
    inp_ms: vitals.inpMs,
    ttfb_ms: vitals.ttfbMs,
    cls_score: vitals.clsScore,
    props: event.props && Object.keys(event.props).length > 0 ? event.props : undefined,
    ip_hash: day ? undefined : facts.client.ipHash,
    ua_hash: day ? undefined : facts.client.uaHash,
    device_type: device,
    browser: agent.browser ?? undefined,
    // Safari on an iPad says it is a Mac; only the page can see that it is touched
    os: (device === 'tablet' && agent.os === 'macOS' ? 'iOS' : agent.os) ?? undefined,
    country: traffic.countryCode ?? facts.country ?? undefined,
    day_before: day?.before,
    is_day_visitor: day !== undefined,
    is_linkable: facts.isLinkable && !day,
    follows: event.eventType !== 'page_view' && (facts.fromServer === true || saidMs === undefined),
  };
}

/** JSON with sorted keys: the same body in another order of keys is the same body. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
