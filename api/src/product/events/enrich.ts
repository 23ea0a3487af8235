// Pure: an event and the facts of its request become a row. No clock, no database: PostgreSQL clamps and cuts.
import { hash, randomBytes } from 'node:crypto';
import type { Client } from '../../ground/http/client.ts';
import type { EventInput } from './schema.ts';
import { CLICK_IDS, sourceOf, type Utm } from './source.ts';
import { readUserAgent } from './user-agent.ts';

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
}

/** A uuid of our own making (version 8) from a digest, so that equal things get equal ids in every process. */
function digestId(...parts: string[]): string {
  // lengths keep ('ab', 'c') apart from ('a', 'bc'); the one-shot hash costs a third of a Hash object
  const bytes = hash('sha256', parts.map((part) => `${part.length}:${part}`).join(''), 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return asUuid(bytes);
}

function asUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
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

const KEPT_PARAMETERS = new Set([
  ...Object.keys(CLICK_IDS),
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_term',
  'utm_content',
]);

/** Path without host and fragment, its query reduced to campaign and click-id parameters; those parameters. */
export function readPath(given: string): { path: string; utm: Utm | undefined; clickIds: string[] } {
  let text = given;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    const url = new URL(text);
    text = url.pathname + url.search;
  }
  text = text.split('#', 1)[0]!;
  const mark = text.indexOf('?');
  if (mark < 0) return { path: text || '/', utm: undefined, clickIds: [] };
  const kept = new URLSearchParams();
  const utm: Record<string, string> = {};
  const clickIds: string[] = [];
  for (const [name, value] of new URLSearchParams(text.slice(mark + 1))) {
    if (!KEPT_PARAMETERS.has(name) || !value.trim() || kept.has(name)) continue;
    const trimmed = value.trim().slice(0, 255);
    kept.set(name, trimmed);
    if (name.startsWith('utm_')) utm[name.slice(4)] = trimmed;
    else clickIds.push(name);
  }
  const path = text.slice(0, mark) || '/';
  return {
    path: kept.size > 0 ? `${path}?${kept}` : path,
    utm: Object.keys(utm).length > 0 ? utm : undefined,
    clickIds,
  };
}

/** Scheme, host and path only: a foreign page's query is none of our business and may hold what people searched or their tokens. */
function readReferrer(given: string | undefined): string | undefined {
  if (!given) return undefined;
  const url = URL.parse(given);
  return url?.host ? `${url.protocol}//${url.host}${url.pathname}` : given.split(/[?#]/, 1)[0];
}

function tidyUtm(utm: Utm | undefined): Utm | undefined {
  const entries = Object.entries(utm ?? {}).filter(([, value]) => value);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

const iso = (value: string | number) =>
  new Date(
    typeof value === 'string' && !/([zZ]|[+-]\d\d:?\d\d)$/.test(value) && value.includes('T')
      ? `${value}Z`
      : value,
  ).toISOString();

/**
 * event   validated
 * body    the event as sent (cleaned), to recognise the same body sent again without id and time
 */
export function enrich(event: EventInput, facts: RequestFacts, body: unknown): ArrivedEvent {
  const visitorId = visitorIdOf(facts.siteId, event.anonId);
  const { path, utm: pathUtm, clickIds } = readPath(event.path);
  const utm = tidyUtm(event.utm) ?? pathUtm;
  const referrer = readReferrer(event.referrer);
  const agent = readUserAgent(facts.client.userAgent);
  const traffic = event.traffic ?? {};
  const vitals = traffic.webVitals ?? {};
  const clientAt = event.timestamp === undefined ? undefined : iso(event.timestamp);
  const device = traffic.deviceType ?? agent.deviceType;
  return {
    site_id: facts.siteId,
    event_id:
      event.eventId?.toLowerCase() ??
      (clientAt ? digestId('event', visitorId, event.eventType, event.path, clientAt) : uuidv7()),
    body_key: event.eventId || clientAt ? undefined : digestId('body', visitorId, stableJson(body)),
    visitor_id: visitorId,
    client_at: clientAt,
    event_type: event.eventType,
    path,
    referrer,
    source: sourceOf({ utm, clickIds, referrer, ownHosts: facts.ownHosts }),
    utm,
    bot_reason: facts.prefetch
      ? 'prefetch'
      : agent.isBot
        ? 'user_agent'
        : traffic.deviceType === 'bot'
          ? 'declared'
          : undefined,
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
    ip_hash: `\\x${facts.client.ipHash.toString('hex')}`,
    ua_hash: `\\x${facts.client.uaHash.toString('hex')}`,
    device_type: device,
    browser: agent.browser ?? undefined,
    os: agent.os ?? undefined,
    country: traffic.countryCode ?? facts.country ?? undefined,
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
