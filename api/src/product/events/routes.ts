// The door for events: POST /v1/events, one or a batch, as JSON or as a beacon's text, and the pixel for pages without JavaScript.
import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { bodyReader } from '../../ground/http/body.ts';
import type { IdentifyClient } from '../../ground/http/client.ts';
import { ok, refusals } from '../../ground/http/openapi-parts.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { issuesOf, validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../sites/queries.ts';
import { hostsOf, type Sites } from '../sites/recognise.ts';
import { enrich, type RequestFacts, uuidv7 } from './enrich.ts';
import type { Ingest } from './ingest.ts';
import type { Ledger } from './ledger.ts';
import type { StoredEvent } from './queries.ts';
import { batchDocument, batchInput, type EventInput, eventInput, propertyId, storedShape } from './schema.ts';

const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const PREFETCH = /prefetch|prerender|preview/i;
const EVENT_BYTES_MAX = 32 * 1024;
const BATCH_BYTES_MAX = 64 * 1024;

export interface EventDoors {
  sites: Sites;
  ingest: Ingest;
  ledger: Ledger;
  limits: RateLimits;
  identify: IdentifyClient;
  /** Two letters for an address, or null. */
  countryOf: (address: string) => string | null;
}

/** What enrich() wants to know of a request; captures ask the same. */
export function requestFacts(
  ctx: Context,
  site: Site,
  { identify, countryOf }: Pick<EventDoors, 'identify' | 'countryOf'>,
): RequestFacts {
  const client = identify(ctx);
  const { headers } = ctx.req;
  return {
    siteId: site.siteId,
    ownHosts: hostsOf(site),
    client,
    country: countryOf(client.address),
    privacySignal: headers['sec-gpc'] === '1' || headers.dnt === '1',
    prefetch: PURPOSE_HEADERS.some((name) => PREFETCH.test(String(headers[name] ?? ''))),
  };
}

const isHoneypotHit = (value: unknown) => typeof value === 'string' && value.trim() !== '';

/** An answer that looks like any other, for something that was not stored. */
const pretended = (): StoredEvent => ({
  eventId: uuidv7(),
  visitorId: uuidv7(),
  sessionId: uuidv7(),
  duplicate: false,
});

/** Answers 202. As a text: Koa looks an object over for streams, blobs and responses before it takes it for JSON. */
function accept(ctx: Context, body: unknown): void {
  ctx.status = 202;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.body = JSON.stringify(body);
}

function answer({ eventId, visitorId, sessionId, duplicate }: StoredEvent) {
  return { eventId, visitorId, sessionId, ...(duplicate ? { duplicate: true } : {}) };
}

export function eventRoutes(doors: EventDoors): Router {
  const { sites, ingest, ledger, limits } = doors;
  const router = new Router();

  /** Which site an event is for; a fault of it is that event's own. */
  const siteOf = (
    ctx: Context,
    event: { propertyId?: string | undefined; traffic?: { propertyId?: string | undefined } | undefined },
  ) => sites.recognise(ctx, event.propertyId ?? event.traffic?.propertyId);

  async function store(ctx: Context, event: EventInput, site: Site, body: unknown): Promise<StoredEvent> {
    if (isHoneypotHit(event.honeypot)) {
      ledger.refuse({ siteId: site.siteId, route: 'events', reason: 'honeypot' });
      return pretended();
    }
    const row = enrich(event, requestFacts(ctx, site, doors), body);
    // its share of the request is near enough for the queue's bound
    return ingest.store(row, 300 + ctx.state.bodyBytes / (ctx.state.write.sent ?? 1));
  }

  const readBody = bodyReader({ bytesMax: BATCH_BYTES_MAX, beacon: true });
  router.post('/v1/events', async (ctx) => {
    ctx.state.write = { route: 'events', items: 1, siteId: undefined };
    await limits.take(ctx, 'events');
    await readBody(ctx);
    const body: unknown = ctx.state.body;
    const isBatch = typeof body === 'object' && body !== null && 'events' in body;
    if (!isBatch) {
      if (ctx.state.bodyBytes > EVENT_BYTES_MAX) {
        throw new AppError('payload_too_large', `An event may have ${EVENT_BYTES_MAX / 1024} KB.`);
      }
      const named = namedSite(sites, body);
      ctx.state.write.siteId = named?.siteId;
      const event = validate(eventInput, body);
      const site = await siteOf(ctx, event);
      ctx.state.write.siteId = site.siteId;
      const stored = await store(ctx, event, site, body);
      ctx.state.write.items = 0; // counted with what was stored
      accept(ctx, { ok: true, ...answer(stored) });
      return;
    }
    const { events } = validate(batchInput, body);
    if (events.length > 1) await limits.take(ctx, 'events', events.length - 1);
    ctx.state.write.sent = events.length;
    ctx.state.write.items = 0; // from here on each event counts for itself
    let refusedByUs: AppError | null = null;
    const results = await Promise.all(
      events.map(async (candidate) => {
        const parsed = eventInput.safeParse(candidate);
        let siteId = namedSite(sites, candidate)?.siteId ?? sites.fallback().siteId;
        try {
          if (!parsed.success)
            throw new AppError('invalid_request', 'Some fields are not as they should be.', {
              issues: issuesOf(parsed.error),
            });
          const site = await siteOf(ctx, parsed.data);
          siteId = site.siteId;
          return answer(await store(ctx, parsed.data, site, candidate));
        } catch (error) {
          if (!(error instanceof AppError) || error.code === 'unavailable') {
            refusedByUs ??=
              error instanceof AppError
                ? error
                : new AppError(
                    'unavailable',
                    'The events could not be stored. Keep them and send them again.',
                    { retryAfterSeconds: 5, cause: error },
                  );
            ledger.refuse({ siteId, route: 'events', reason: 'unavailable' });
            return { error: 'unavailable' };
          }
          ledger.refuse({ siteId, route: 'events', reason: error.code, issues: error.issues });
          return { error: error.code, issues: error.issues ?? [] };
        }
      }),
    );
    // All or nothing is not needed: what was stored is recognised when the whole batch is sent again.
    if (refusedByUs) throw refusedByUs;
    if (results.every((result) => 'error' in result)) {
      throw new AppError('invalid_request', 'None of these events can be taken.', {
        issues: results
          .flatMap((result, i) =>
            ('issues' in result ? (result.issues ?? []) : []).map((issue) => ({
              ...issue,
              path: `events.${i}.${issue.path}`,
            })),
          )
          .slice(0, 50),
      });
    }
    accept(ctx, { ok: true, results });
  });

  router.get('/v1/pixel.gif', async (ctx) => {
    ctx.state.write = { route: 'pixel', items: 1, siteId: undefined };
    await limits.take(ctx, 'events');
    const query = validate(pixelQuery, Object.fromEntries(new URLSearchParams(ctx.querystring)));
    const site = await sites.recognise(ctx, query.propertyId);
    ctx.state.write.siteId = site.siteId;
    const facts = requestFacts(ctx, site, doors);
    const page = ctx.get('referer');
    const event = validate(eventInput, {
      // No script, so no id of the browser's: the keyed hashes of address and user agent stand in for one, for a day.
      anonId: `pixel-${new Date().toISOString().slice(0, 10)}-${facts.client.ipHash.toString('hex', 0, 8)}${facts.client.uaHash.toString('hex', 0, 8)}`,
      eventType: 'page_view',
      path: query.path ?? (URL.canParse(page) ? pathOf(page) : '/'),
      referrer: query.referrer || undefined,
      utm: utmOf(query),
    });
    // each showing of the picture is a page view of its own: an id of ours, so that two views within 30 s are two
    await ingest.store({ ...enrich(event, facts, query), event_id: uuidv7(), body_key: undefined }, 500);
    ctx.state.write.items = 0;
    ctx.type = 'image/gif';
    ctx.set('Cache-Control', 'no-store, no-cache, must-revalidate, private');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.body = GIF;
  });

  return router;
}

const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

const pathOf = (url: string) => {
  const { pathname, search } = new URL(url);
  return (pathname + search).slice(0, 2048);
};

const optionalText = z.string().trim().max(2048).optional();
const pixelQuery = z.object({
  propertyId: propertyId.optional(),
  path: z.string().trim().max(2048).optional().describe("the page's path; else the Referer header tells"),
  referrer: optionalText,
  utm_source: optionalText,
  utm_medium: optionalText,
  utm_campaign: optionalText,
  utm_term: optionalText,
  utm_content: optionalText,
});

function utmOf(query: z.output<typeof pixelQuery>): Record<string, string> | undefined {
  const given = Object.entries(query).flatMap(([name, value]) =>
    name.startsWith('utm_') && value ? [[name.slice(4), String(value).slice(0, 255)]] : [],
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

const one = storedShape.extend({ ok: z.literal(true) });
const refused = z.object({
  error: z.string(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })),
});
const many = z.object({ ok: z.literal(true), results: z.array(z.union([storedShape, refused])) });
const eventBody = z.union([eventInput, batchDocument]);

export const eventPaths: ZodOpenApiPathsObject = {
  '/v1/events': {
    post: {
      summary: 'Stores an event, or up to 50; the answer leaves after the commit',
      requestBody: {
        content: {
          'application/json': { schema: eventBody },
          'text/plain': { schema: z.string().describe('the same JSON, as a beacon sends it') },
        },
      },
      responses: { 202: ok(z.union([one, many]), 'Stored'), ...refusals },
    },
  },
  '/v1/pixel.gif': {
    get: {
      summary: 'A page view of a page without JavaScript',
      requestParams: { query: pixelQuery },
      responses: {
        200: { description: 'A transparent picture of one pixel', content: { 'image/gif': {} } },
        ...refusals,
      },
    },
  },
};
