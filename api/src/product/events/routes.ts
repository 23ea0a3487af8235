// What visitors send: POST /v1/events, one or a batch, as JSON or as a beacon's text, and the pixel for pages without JavaScript.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { asItIs } from '../../ground/http/as-it-is.ts';
import type { Call } from '../../ground/http/call.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import { cutText } from '../../ground/lib/text.ts';
import type { Site } from '../../ground/site.ts';
import type { CustomFields } from '../custom-fields/known.ts';
import { fitFields } from '../custom-fields/values.ts';
import type { Sites } from '../sites/recognise.ts';
import { mustTakeEvents } from '../sites/stops.ts';
import type { DayRoom } from './day-room.ts';
import type { DaySalts } from './day-visitor.ts';
import { type CountryOf, enrich, type RequestFacts, requestFacts, UNKNOWN_PATH, uuidv7 } from './enrich.ts';
import { forgive, type ReadEvent } from './forgive.ts';
import type { Ingest, StoredEvent } from './ingest.ts';
import type { Ledger } from './ledger.ts';
import { type ArmOf, isOfNotification, readSeen } from './notification-events.ts';
import { judgeOrigin, notOfSite, originRoute } from './origins.ts';
import { pulseRoute } from './pulse.ts';
import { batchDocument, batchInput, type EventInput, eventInput, storedShape } from './schema.ts';

const EVENT_BYTES_MAX = 32 * 1024;
const BATCH_BYTES_MAX = 64 * 1024;

export interface EventNeeds {
  db: Pool;
  sites: Sites;
  customFields: Pick<CustomFields, 'of'>;
  ingest: Ingest;
  ledger: Ledger;
  limits: RateLimits;
  countryOf: CountryOf | null;
  daySalts: DaySalts;
  dayRoom: DayRoom;
  abTests: { armOf: ArmOf };
}

const refusedShape = z.object({
  error: z.string(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })),
});
const manyShape = z.object({ results: z.array(z.union([storedShape, refusedShape])) });

const isHoneypotHit = (value: unknown) => typeof value === 'string' && value.trim() !== '';

/** An answer that looks like any other, for something that was not stored. */
const pretended = (): StoredEvent => ({
  eventId: uuidv7(),
  visitorId: uuidv7(),
  sessionId: uuidv7(),
  duplicate: false,
});

function answerOf({ eventId, visitorId, sessionId, duplicate }: StoredEvent, warnings: Issue[]) {
  if (!duplicate && warnings.length === 0) return { eventId, visitorId, sessionId };
  return {
    eventId,
    visitorId,
    sessionId,
    ...(duplicate ? { duplicate: true } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

// Who asked not to be followed takes part in no test.
const inNoTest: ArmOf = async () => undefined;

const NO_WARNINGS: Issue[] = [];
const isEventAsItIs = asItIs(eventInput);

/** Nearly every event is as it should be; for the others one wrong field never costs the rest. */
function readEvent(body: unknown): ReadEvent {
  if (isEventAsItIs(body)) return { event: body as EventInput, warnings: NO_WARNINGS };
  const parsed = eventInput.safeParse(body);
  return parsed.success ? { event: parsed.data, warnings: NO_WARNINGS } : forgive(body);
}

export function eventRoutes(needs: EventNeeds): Route[] {
  const { sites, customFields, ingest, ledger, limits, countryOf, daySalts, dayRoom, abTests } = needs;

  /** Which site an event is for; a fault of it is that event's own. */
  const siteOf = (
    call: Call,
    event: { propertyId?: string | undefined; traffic?: { propertyId?: string | undefined } | undefined },
  ) => sites.ofPage(call.headers, event.propertyId ?? event.traffic?.propertyId);

  /** With the props that the site defined as it defined them; nearly no site does. */
  function fit(read: ReadEvent, site: Site): ReadEvent {
    const fields = customFields.of(site.siteId, 'props');
    const { props } = read.event;
    if (fields.length === 0 || !props) return read;
    const { sent, warnings } = fitFields(fields, props, 'props');
    return { event: { ...read.event, props: sent }, warnings: [...read.warnings, ...warnings] };
  }

  /** Out of memory at once; without the day's salt nothing could be stored either. */
  const dayVisitorOf = (call: Call, siteId: string) =>
    daySalts.known(call.client, siteId, call.receivedMs) ??
    daySalts.find(call.client, siteId, call.receivedMs).catch((error) => {
      throw notStored(error);
    });

  /** throws  at once, or by the promise */
  function store(
    call: Call,
    event: EventInput,
    site: Site,
    body: unknown,
    sent: number,
  ): Promise<StoredEvent> {
    const { origin } = call.headers;
    if (origin !== undefined && sites.standing(site, origin) !== 'own') judgeOrigin(needs, call, site);
    if (isHoneypotHit(event.honeypot)) {
      ledger.refuse({ siteId: site.siteId, route: 'events', reason: 'honeypot', from: call.client.limitKey });
      return Promise.resolve(pretended());
    }
    mustTakeEvents(sites, site.siteId);
    dayRoom.takeEvent(site.siteId, call.client.limitKey, call.bodyBytes / sent);
    const facts = requestFacts(call, site, countryOf);
    // its share of the request is near enough for the queue's bound
    const bytes = 300 + call.bodyBytes / sent;
    // nearly all of them: nothing else has to be asked for
    if (event.anonId && !isOfNotification(event)) return ingest.store(enrich(event, facts, body), bytes);
    return storeLookedUp(call, event, facts, body, bytes);
  }

  async function storeLookedUp(
    call: Call,
    event: EventInput,
    facts: RequestFacts,
    body: unknown,
    bytes: number,
  ): Promise<StoredEvent> {
    if (!event.anonId) facts.dayVisitor = await dayVisitorOf(call, facts.siteId);
    const row = enrich(event, facts, body);
    if (isOfNotification(event))
      row.seen = await readSeen(event, facts.siteId, facts.privacySignal ? inNoTest : abTests.armOf);
    return ingest.store(row, bytes);
  }

  async function one(call: Call): Promise<object> {
    const { body } = call;
    if (call.bodyBytes > EVENT_BYTES_MAX)
      throw new AppError('payload_too_large', `An event may have ${EVENT_BYTES_MAX / 1024} KB.`);
    call.refused.siteId = namedSite(sites, body)?.siteId;
    limits.take(call.client, 'event_bytes', call.bodyBytes);
    const read = readEvent(body);
    const found = siteOf(call, read.event);
    const site = found instanceof Promise ? await found : found;
    call.refused.siteId = site.siteId;
    const { event, warnings } = fit(read, site);
    const stored = await store(call, event, site, body, 1);
    call.refused.items = 0; // counted with what was stored
    return answerOf(stored, warnings);
  }

  async function many(call: Call): Promise<object> {
    const { events, sentAt } = validate(batchInput, call.body);
    if (events.length > 1) limits.take(call.client, 'events', events.length - 1);
    limits.take(call.client, 'event_bytes', call.bodyBytes);
    call.refused.items = 0; // from here on each event counts for itself
    let refusedByUs: AppError | null = null;
    let full: AppError | null = null;
    const from = call.client.limitKey;
    const results = await Promise.all(
      events.map(async (candidate) => {
        let siteId = namedSite(sites, candidate)?.siteId ?? sites.fallback().siteId;
        try {
          const read = readEvent(candidate);
          const site = await siteOf(call, read.event);
          siteId = site.siteId;
          const { event, warnings } = fit(read, site);
          const timed = { ...event, sentAt: event.sentAt ?? sentAt };
          return answerOf(await store(call, timed, site, candidate, events.length), warnings);
        } catch (error) {
          if (!(error instanceof AppError) || error.code === 'unavailable') {
            refusedByUs ??= error instanceof AppError ? error : notStored(error);
            const reason = error instanceof AppError ? error.reason : 'unavailable';
            ledger.refuse({ siteId, route: 'events', reason, from });
            return { error: 'unavailable' };
          }
          if (error.code === 'daily_limit' || error.code === 'plan_limit_reached') full = error;
          ledger.refuse({ siteId, route: 'events', reason: error.reason, issues: error.issues, from });
          return { error: error.code, issues: error.issues ?? [] };
        }
      }),
    );
    // All or nothing is not needed: what was stored is recognised when the whole batch is sent again.
    if (refusedByUs) throw refusedByUs;
    if (results.every((result) => 'error' in result)) throw full ?? noneTaken(results, call);
    return { results };
  }

  async function pixel(query: z.output<typeof pixelQuery>, call: Call): Promise<Reply> {
    mustTakeEvents(sites, call.site.siteId);
    dayRoom.takeEvent(call.site.siteId, call.client.limitKey, call.querystring.length);
    const facts = requestFacts(call, call.site, countryOf);
    // No script, so no id of the browser's.
    facts.dayVisitor = await dayVisitorOf(call, call.site.siteId);
    const page = call.header('referer');
    const { event } = readEvent({
      eventType: 'page_view',
      path: query.path || pathOfPage(page),
      referrer: query.referrer || undefined,
      utm: utmOf(query),
    });
    // each showing of the picture is a page view of its own: an id of ours, so that two views within 30 s are two
    const row = { ...enrich(event, facts, query), event_id: uuidv7(), body_key: undefined };
    if (event.path === UNKNOWN_PATH) row.path = UNKNOWN_PATH;
    await ingest.store(row, 500);
    call.refused.items = 0;
    return new Reply(200, GIF, {
      'Content-Type': 'image/gif',
      'Cache-Control': 'no-store, no-cache, must-revalidate, private',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
  }

  return [
    originRoute(needs),
    pulseRoute(needs),
    route({
      at: 'POST /v1/events',
      id: 'storeEvents',
      says: 'Stores an event, or up to 50; the answer leaves after the commit',
      tag: 'events',
      who: 'anyone',
      takes: {
        as: ['json', 'beacon'],
        bytesMax: BATCH_BYTES_MAX,
        documents: z.union([eventInput, batchDocument]),
      },
      bucket: 'events',
      counts: 'events',
      quiet: 'when taken', // a line a batch tells of them
      waitsForRoom: true,
      answers: { 202: z.union([storedShape, manyShape]) },
      run: (body, call) =>
        typeof body === 'object' && body !== null && 'events' in body ? many(call) : one(call),
    }),
    route({
      at: 'GET /v1/pixel.gif',
      id: 'showPixel',
      says: 'A page view of a page without JavaScript',
      tag: 'events',
      who: 'anyone',
      of: 'page',
      takes: { as: 'query', shape: pixelQuery },
      bucket: 'events',
      counts: 'pixel',
      quiet: 'when taken',
      waitsForRoom: true,
      answers: { 200: { says: 'A transparent picture of one pixel', type: 'image/gif' } },
      run: pixel,
    }),
  ];
}

const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

const notStored = (cause: unknown) =>
  new AppError('unavailable', 'The events could not be stored. Keep them and send them again.', {
    retryAfterSeconds: 5,
    cause,
  });

function noneTaken(results: { error?: string }[], call: Call): AppError {
  if (results.every(({ error }) => error === 'origin_not_allowed')) return notOfSite(call);
  return new AppError('invalid_request', 'None of these events can be taken.', {
    issues: results
      .flatMap((result, i) =>
        ('issues' in result ? (result.issues as { path: string; message: string }[]) : []).map((issue) => ({
          ...issue,
          path: `events.${i}.${issue.path}`,
        })),
      )
      .slice(0, 50),
  });
}

/** An origin alone, which is what browsers tell other hosts, is no page. */
function pathOfPage(referer: string): string {
  const url = URL.parse(referer);
  const path = url ? cutText(url.pathname + url.search, 2048) : '/';
  return path === '/' ? UNKNOWN_PATH : path;
}

// An address of a picture holds whatever a template put there: too long is cut, and nothing is nothing.
const optionalText = z
  .string()
  .transform((text) => cutText(text.trim(), 2048) || undefined)
  .optional();
const pixelQuery = z.object({
  propertyId: z
    .string()
    .trim()
    .max(128)
    .transform((key) => key || undefined)
    .optional(),
  path: optionalText.describe("the page's path; else the Referer header tells"),
  referrer: optionalText,
  utm_source: optionalText,
  utm_medium: optionalText,
  utm_campaign: optionalText,
  utm_term: optionalText,
  utm_content: optionalText,
});

function utmOf(query: z.output<typeof pixelQuery>): Record<string, string> | undefined {
  const given = Object.entries(query).flatMap(([name, value]) =>
    name.startsWith('utm_') && value ? [[name.slice(4), cutText(String(value), 255)]] : [],
  );
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** The site a refused event names, if it names one we know: its refusal counts there. */
function namedSite(sites: Sites, body: unknown): Site | undefined {
  const { propertyId: key, traffic } = (body ?? {}) as {
    propertyId?: unknown;
    traffic?: { propertyId?: unknown } | null;
  };
  const named = key ?? traffic?.propertyId;
  return typeof named === 'string' ? sites.list().find((site) => site.key === named.trim()) : undefined;
}
