// What pages load: GET /v1/feed, from memory. For pages without JavaScript: frame-routes.ts
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { packedReply } from '../../ground/http/packed.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import type { CountryOf } from '../events/enrich.ts';
import type { Built } from './build.ts';
import { feedShape } from './feed-shape.ts';
import type { Feeds } from './feeds.ts';
import { type Wish, wishFor } from './render.ts';

export interface FeedNeeds {
  sites: SiteDirectory;
  feeds: Feeds;
  countryOf: CountryOf | null;
}

export const site = z.string().trim().min(1).max(128).describe("the site's key");
export const lang = z.string().trim().max(35).optional().catch(undefined);
export const FOR_ALL = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
const AGE = 'public, max-age=15';

export async function siteOf({ sites }: Pick<FeedNeeds, 'sites'>, key: string, call: Call): Promise<Site> {
  const found = await sites.named(key);
  if (!found) throw new AppError('not_found', 'No site has this key.');
  call.speaksFor(found);
  return found;
}

export const countryFor = ({ countryOf }: Pick<FeedNeeds, 'countryOf'>, call: Call) =>
  countryOf ? countryOf(call.client.address) : null;

export const wishOf = (
  needs: FeedNeeds,
  call: Call,
  built: Built,
  of: Site,
  wanted: string | undefined,
): Wish => wishFor(built, of, wanted, countryFor(needs, call));

/** Where a client's country decides, no cache between may keep it for others. */
export const cacheOf = ({ cards }: Built): string =>
  cards.some(({ notification }) => notification.targeting.countries.length > 0) ? 'private, max-age=15' : AGE;

export const FEED_ROUTE = { tag: 'social proof', who: 'anyone', bucket: 'feed', quiet: true } as const;

export function feedRoutes(needs: FeedNeeds): Route[] {
  const { feeds } = needs;
  return [
    route({
      ...FEED_ROUTE,
      at: 'GET /v1/feed',
      id: 'getFeed',
      says: 'What a site shows its visitors now, for its script; answered from memory',
      takes: { as: 'query', shape: z.object({ site, lang }) },
      answers: { 200: feedShape, 304: { says: 'As the client has it' } },
      async run(input, call) {
        const of = await siteOf(needs, input.site, call);
        const built = await feeds.built(of);
        const feed = feeds.packed(built, wishOf(needs, call, built, of, input.lang));
        const headers = { ...FOR_ALL, 'Cache-Control': cacheOf(built) };
        const encoding = call.acceptsEncoding(['br', 'gzip'] as const);
        // strong: of these very bytes
        const etag = `"${feed.etag}${encoding ? `-${encoding}` : ''}"`;
        if (call.isFresh(etag))
          return new Reply(304, null, { ...headers, ETag: etag, Vary: 'Accept-Encoding' });
        return packedReply(call, feed, {
          ...headers,
          ETag: etag,
          'Content-Type': 'application/json; charset=utf-8',
        });
      },
    }),
  ];
}
