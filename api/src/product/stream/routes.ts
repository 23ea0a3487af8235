// The live stream of a site's outbox, for dashboards and programs (Server-Sent Events).
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import type { Caller, Capability } from '../../ground/http/caller.ts';
import { EVENT_STREAM } from '../../ground/http/event-stream.ts';
import { propertyId } from '../../ground/http/fields.ts';
import { created, Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { siteNamed } from '../../ground/http/which-site.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { NEWS_TYPES, typeOf } from '../outbox/types.ts';
import { COUNTS } from './counts.ts';
import type { Streams } from './streams.ts';
import { makeTicket, STREAM_PATH, TICKET_SECONDS } from './tickets.ts';

export interface StreamNeeds {
  db: Pool;
  sites: SiteDirectory;
  streams: Streams;
}

const siteId = propertyId.optional().describe("the site's id or key; without it the caller's first");
const seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Those of the outbox; and today's numbers, which are read for who asks for them by name. */
const STREAM_TYPES: readonly string[] = [...NEWS_TYPES, COUNTS];

const streamQuery = z.object({
  siteId,
  types: z
    .string()
    .max(400)
    .optional()
    .describe(`parted by commas, of ${STREAM_TYPES.join(', ')}; default: all but ${COUNTS}`),
  after: seq.optional().describe('the id of the last event that was seen; Last-Event-ID goes before it'),
  ticket: z.string().max(100).optional().describe('instead of a key in a header'),
});

/** throws  invalid_request with path types */
function typesIn(text: string | undefined): readonly string[] {
  if (text === undefined) return NEWS_TYPES;
  const named = text.split(',').map((type) => type.trim());
  if (named.every((type) => STREAM_TYPES.includes(type))) return named;
  throw new AppError('invalid_request', 'There is no such type of event.', {
    issues: [{ path: 'types', message: `some of ${STREAM_TYPES.join(', ')}, parted by commas` }],
  });
}

export const streamRoutes = ({ db, sites, streams }: StreamNeeds): Route[] => [
  route({
    at: `GET ${STREAM_PATH}`,
    id: 'getEventStream',
    says: 'What happens on a site, as it happens, by ids, and its numbers of today where they change, to who accepts text/event-stream; to others what there is after a number',
    tag: 'stream',
    who: 'numbers',
    takes: { as: 'query', shape: streamQuery },
    answers: { 200: { says: 'events, each with its number as id', type: 'text/event-stream' } },
    async run({ siteId: name, types, after }, call) {
      const site = await siteNamed(sites, call.caller, name, 'numbers');
      call.note({ siteId: site.siteId });
      const wanted = new Set(typesIn(types));
      let caller: Caller | null = call.caller;
      const may = (what: Capability) => caller?.may(what, site.siteId) ?? false;
      const last = seq.safeParse(call.header('last-event-id') || undefined);
      const stream = await streams.open({
        siteId: site.siteId,
        after: last.success ? last.data : (after ?? null),
        // as EventSource asks; whoever does not gets what there is, and an end
        follows: call.header('accept').includes('text/event-stream') && !call.isHead,
        isWanted: (type) => wanted.has(type) && (!typeOf(type)?.isOfLead || may('leadFacts')),
        async mayStill() {
          if (call.caller.again) caller = await call.caller.again();
          return may('numbers');
        },
      });
      return new Reply(200, stream, EVENT_STREAM);
    },
  }),
  route({
    at: `POST ${STREAM_PATH}/tickets`,
    id: 'createStreamTicket',
    says: 'Makes a ticket for one stream, good once within a minute: EventSource can send no header',
    tag: 'stream',
    who: 'numbers',
    takes: {
      as: ['json'],
      bytesMax: 1024,
      optional: true,
      shape: z.object({ siteId }).meta({ id: 'NewStreamTicket' }),
    },
    answers: { 201: z.object({ ticket: z.string(), expiresIn: z.int().describe('seconds') }) },
    async run({ siteId: name }, call) {
      const site = await siteNamed(sites, call.caller, name, 'numbers');
      call.note({ siteId: site.siteId });
      return created({ ticket: await makeTicket(db, call.caller, site.siteId), expiresIn: TICKET_SECONDS });
    },
  }),
];
