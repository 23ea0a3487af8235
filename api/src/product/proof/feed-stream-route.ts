// GET /v1/feed/stream: tells pages that the feed became another one. Nothing else is told, so there is nothing to guard.
import { z } from 'zod';
import { EVENT_STREAM } from '../../ground/http/event-stream.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { countryFor, type FeedNeeds, FOR_ALL, lang, site, siteOf } from './feed-routes.ts';
import type { FeedStreams } from './feed-streams.ts';

export interface FeedStreamNeeds extends Pick<FeedNeeds, 'sites' | 'countryOf'> {
  feedStreams: FeedStreams;
}

export const feedStreamRoute = (needs: FeedStreamNeeds): Route =>
  route({
    at: 'GET /v1/feed/stream',
    id: 'getFeedStream',
    says: 'Tells that the feed of a site became another one, to pages that accept text/event-stream; to others its ETag, and ends. Only with the site’s setting feedStream',
    tag: 'social proof',
    who: 'anyone',
    bucket: 'feed',
    quiet: true,
    takes: { as: 'query', shape: z.object({ site, lang }) },
    answers: {
      200: {
        says: 'feed.updated events, with the new ETag before its encoding as data',
        type: 'text/event-stream',
      },
    },
    async run(input, call) {
      const of = await siteOf(needs, input.site, call);
      const stream = await needs.feedStreams.open({
        site: of,
        lang: input.lang,
        country: countryFor(needs, call),
        from: call.client.limitKey,
        last: call.header('last-event-id') || null,
        follows: call.header('accept').includes('text/event-stream') && !call.isHead,
      });
      return new Reply(200, stream, { ...FOR_ALL, ...EVENT_STREAM });
    },
  });
