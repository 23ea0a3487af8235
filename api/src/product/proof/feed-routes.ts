// What pages load: GET /v1/feed, and the same for pages without JavaScript, /v1/feed.html and /v1/badge.svg. From memory.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { type Html, html } from '../../ground/http/html.ts';
import { packedReply } from '../../ground/http/packed.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import type { CountryOf } from '../events/enrich.ts';
import type { Built } from './build.ts';
import { type Feed, feedShape } from './feed-shape.ts';
import type { Feeds } from './feeds.ts';
import { besideOf, renderFeed, type Wish, wishFor } from './render.ts';

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

const wishOf = (needs: FeedNeeds, call: Call, built: Built, of: Site, wanted: string | undefined): Wish =>
  wishFor(built, of, wanted, countryFor(needs, call));

/** Where a client's country decides, no cache between may keep it for others. */
const cacheOf = ({ cards }: Built): string =>
  cards.some(({ notification }) => notification.targeting.countries.length > 0) ? 'private, max-age=15' : AGE;

export function feedRoutes(needs: FeedNeeds): Route[] {
  const { feeds } = needs;
  const common = { tag: 'social proof', who: 'anyone', bucket: 'feed', quiet: true } as const;
  return [
    route({
      ...common,
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
    route({
      ...common,
      at: 'GET /v1/feed.html',
      id: 'showFeed',
      says: 'The same as a small page for an iframe, without JavaScript; not counted',
      takes: { as: 'query', shape: z.object({ site, lang }) },
      answers: { 200: { says: 'The page', type: 'text/html' } },
      async run(input, call) {
        const of = await siteOf(needs, input.site, call);
        const built = await feeds.built(of);
        const wish = wishOf(needs, call, built, of, input.lang);
        const { items, words } = renderFeed(built, wish);
        const shown = items.filter(({ where }) => where.channels.includes('page'));
        return framePage(
          wish.language ?? 'en',
          shown.map((item) => cardOf(item, words)),
          cacheOf(built),
        );
      },
    }),
    route({
      ...common,
      at: 'GET /v1/badge.svg',
      id: 'getBadge',
      says: 'One notification as a picture, without JavaScript; not counted',
      takes: { as: 'query', shape: z.object({ site, lang, n: z.uuid().describe('the notification') }) },
      answers: { 200: { says: 'The picture; empty where there is nothing to show' } },
      async run(input, call) {
        const of = await siteOf(needs, input.site, call);
        const built = await feeds.built(of);
        const { items, words } = renderFeed(built, wishOf(needs, call, built, of, input.lang));
        const found = items.find(({ id, where }) => id === input.n && where.channels.includes('page'));
        return new Reply(
          200,
          Buffer.from(
            badge(
              found
                ? [
                    found.variants[0]!.text,
                    ...besideOf(found.review, words),
                    ...sourceOf(found.source, words),
                  ].join(' · ')
                : '',
            ),
          ),
          {
            ...FOR_ALL,
            'Content-Type': 'image/svg+xml; charset=utf-8',
            'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            'Cache-Control': cacheOf(built),
          },
        );
      },
    }),
  ];
}

function cardOf({ variants, source, review }: Feed['items'][number], words: Feed['words']): Html {
  const [{ text, link, receipt }] = variants as [Feed['items'][number]['variants'][number]];
  const beside = besideOf(review, words);
  return html`<li><p>${text}</p>${beside.length > 0 && html`<p class="soft">${beside.join(' · ')}</p>`}<p class="soft">${source && html`<a href="${source.url}" target="_blank" rel="noopener">${words.source}, ${source.statedOn}</a> · `}<a href="/proof/${receipt}" target="_blank" rel="noopener">${words.proof}</a>${link && html` · <a href="${link.url}" target="_top">${link.label}</a>`}</p></li>`;
}

/** Of a message, where it cannot be a link: its address and day. */
const sourceOf = (source: Feed['items'][number]['source'], words: Feed['words']): string[] =>
  source ? [`${words.source}: ${source.url.replace(/^https:\/\//, '')}, ${source.statedOn}`] : [];

const CSS =
  ':root{color-scheme:light dark}body{margin:0;font:1rem/1.45 system-ui,sans-serif}ul{list-style:none;margin:0;padding:0}li{padding:.6rem .8rem;border:1px solid #8886;border-radius:.5rem;margin:0 0 .5rem}p{margin:0;overflow-wrap:anywhere}.soft{font-size:.85rem;margin-top:.25rem}';
const CSS_HASH = createHash('sha256').update(CSS).digest('base64');

function framePage(language: string, cards: Html[], cache: string): Reply {
  const whole = html`<!doctype html><html lang="${language}" dir="auto"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>—</title><style>@</style></head><body><ul>${cards}</ul></body></html>`;
  return new Reply(
    200,
    String(whole).replace('<style>@</style>', () => `<style>${CSS}</style>`),
    {
      ...FOR_ALL,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': language,
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${CSS_HASH}'; base-uri 'none'; form-action 'none'`,
      'Cache-Control': cache,
      'X-Robots-Tag': 'noindex',
    },
  );
}

/** As wide as its words: letters of a picture are counted, wide ones twice. */
function badge(text: string): string {
  const width =
    text === ''
      ? 0
      : 20 +
        [...text].reduce(
          (sum, sign) => sum + (/[\u1100-\uffdc\u{1f000}-\u{1faff}]/u.test(sign) ? 15 : 7.6),
          0,
        );
  const size = Math.ceil(width);
  return String(
    html`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${size}" height="${text === '' ? 0 : 28}"><title>${text}</title><rect width="100%" height="100%" rx="6" fill="#1f2328"/><text x="50%" y="19" text-anchor="middle" fill="#fff" font-family="system-ui,sans-serif" font-size="13">${text}</text></svg>`,
  );
}
