// The feed for pages without JavaScript, a page to frame and a picture: GET /v1/feed.html and /v1/badge.svg. From memory.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { framedAt } from '../../ground/http/framed-at.ts';
import { type Html, html } from '../../ground/http/html.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { readUserAgent } from '../events/user-agent.ts';
import { badge } from './badge.ts';
import type { Built } from './build.ts';
import { besideOf, sourceOf } from './card-words.ts';
import { cacheOf, FEED_ROUTE, type FeedNeeds, FOR_ALL, lang, site, siteOf, wishOf } from './feed-routes.ts';
import type { Feed } from './feed-shape.ts';
import { renderFeed } from './render.ts';

/** A frame that names somebody is loaded anew so often: with what a feed may be late, within the half minute that an open page has. */
const AGAIN_SECONDS = 20;
const FRAME = '/v1/feed.html';
export const SHOW_FEED = { at: `GET ${FRAME}`, tells: 'frame' } as const;
export const SHOW_BADGE = { at: 'GET /v1/badge.svg', tells: 'picture' } as const;
const path = z
  .string()
  .max(2048)
  .optional()
  .catch(undefined)
  .describe(
    "path of the page it stands on, for `include` and `exclude`; else the Referer's, where it says one",
  );

type Item = Feed['items'][number];
interface Asked {
  site: string;
  lang?: string | undefined;
  path?: string | undefined;
}

async function shownTo(needs: FeedNeeds, asked: Asked, call: Call) {
  const of = await siteOf(needs, asked.site, call);
  const built = await needs.feeds.built(of);
  const wish = wishOf(needs, call, built, of, asked.lang);
  const { items, words } = renderFeed(built, wish);
  const told = {
    path: asked.path ?? framedAt(call, FRAME),
    device: deviceOf(call),
    lang: asked.lang ?? wish.language,
  };
  return { built, wish, words, told, items: items.filter(({ where }) => isFor(where, told)) };
}

const deviceOf = (call: Call): string => readUserAgent(call.client.userAgent).deviceType;
const DEVICES = ['desktop', 'mobile', 'tablet'];

/** A pattern has stars for whatever stands there. One look along the path: both are said by others. */
function fits(path: string, pattern: string): boolean {
  const [first, ...rest] = pattern.split('*') as [string, ...string[]];
  const last = rest.pop();
  if (last === undefined) return path === first;
  if (!path.startsWith(first)) return false;
  let end = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, end);
    if (found < 0) return false;
    end = found + part.length;
  }
  return path.length - last.length >= end && path.endsWith(last);
}

/** By what a request tells. Whoever has no script keeps no id and tells no visit: nothing that asks for one is for them. */
function isFor(
  where: Item['where'],
  { path, device, lang }: { path: string | null; device: string; lang: string | undefined },
): boolean {
  const { channels, include, exclude, devices, sources, languages, visitors, consent } = where;
  if (!channels.includes('page') || consent === 'full' || visitors !== 'all' || sources.length > 0)
    return false;
  if (path !== null) {
    const isThere = (pattern: string) => fits(path, pattern);
    if ((include.length > 0 && !include.some(isThere)) || exclude.some(isThere)) return false;
  }
  if (devices.length > 0 && DEVICES.includes(device) && !(devices as string[]).includes(device)) return false;
  return (
    languages.length === 0 ||
    languages.some((one) => (lang ?? '').toLowerCase().startsWith(one.toLowerCase()))
  );
}

/** Of whom it is for decides more than the address: a cache between has to know by what. */
function variesBy({ cards }: Built): Record<string, string> {
  const all = cards.map(({ notification }) => notification.targeting);
  const by = [
    all.some(({ include, exclude }) => include.length + exclude.length > 0) && 'Referer',
    all.some(({ devices }) => devices.length > 0) && 'User-Agent',
  ].filter((one) => one !== false);
  return by.length > 0 ? { Vary: by.join(', ') } : {};
}

export function frameRoutes(needs: FeedNeeds): Route[] {
  return [
    route({
      ...FEED_ROUTE,
      ...SHOW_FEED,
      id: 'showFeed',
      says: 'The same as a small page for an iframe, without JavaScript; not counted',
      takes: { as: 'query', shape: z.object({ site, lang, path }) },
      answers: { 200: { says: 'The page', type: 'text/html' } },
      async run(input, call) {
        const { built, wish, words, told, items } = await shownTo(needs, input, call);
        const isNamed = items.some(({ named }) => named);
        const again = new URLSearchParams({ site: input.site });
        if (input.lang !== undefined) again.set('lang', input.lang);
        // loaded anew it comes from itself
        if (told.path !== null) again.set('path', told.path);
        return framePage(
          wish.language ?? 'en',
          items.map((item) => cardOf(item, words)),
          {
            ...variesBy(built),
            'Cache-Control': isNamed ? 'private, no-cache' : cacheOf(built),
            ...(isNamed ? { Refresh: `${AGAIN_SECONDS}; url=${FRAME}?${again}` } : {}),
          },
        );
      },
    }),
    route({
      ...FEED_ROUTE,
      ...SHOW_BADGE,
      id: 'getBadge',
      says: 'One notification as a picture, without JavaScript; not counted',
      takes: { as: 'query', shape: z.object({ site, lang, path, n: z.uuid().describe('the notification') }) },
      answers: { 200: { says: 'The picture; empty where there is nothing to show' } },
      async run(input, call) {
        const { built, words, items } = await shownTo(needs, input, call);
        // a picture stays as long as its page is open: nothing is in it that somebody may take back
        const found = items.find(({ id, named }) => id === input.n && !named);
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
            ...variesBy(built),
            'Cache-Control': cacheOf(built),
          },
        );
      },
    }),
  ];
}

function cardOf({ variants, source, review, lang: of }: Item, words: Feed['words']): Html {
  const [{ text, link, receipt }] = variants as [Item['variants'][number]];
  const beside = besideOf(review, words);
  return html`<li><p lang="${of}">${text}</p>${beside.length > 0 && html`<p class="soft">${beside.join(' · ')}</p>`}<p class="soft">${source && html`<a href="${source.url}" target="_blank" rel="noopener">${words.source}, ${source.statedOn}</a> · `}<a href="/proof/${receipt}" target="_blank" rel="noopener">${words.proof}</a>${link && html` · <a href="${link.url}" target="_top">${link.label}</a>`}</p></li>`;
}

const CSS =
  ':root{color-scheme:light dark}body{margin:0;font:1rem/1.45 system-ui,sans-serif}ul{list-style:none;margin:0;padding:0}li{padding:.6rem .8rem;border:1px solid #8886;border-radius:.5rem;margin:0 0 .5rem}p{margin:0;overflow-wrap:anywhere}.soft{font-size:.85rem;margin-top:.25rem}';
const CSS_HASH = createHash('sha256').update(CSS).digest('base64');

function framePage(language: string, cards: Html[], headers: Record<string, string>): Reply {
  const whole = html`<!doctype html><html lang="${language}" dir="auto"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>—</title><style>@</style></head><body><ul>${cards}</ul></body></html>`;
  return new Reply(
    200,
    String(whole).replace('<style>@</style>', () => `<style>${CSS}</style>`),
    {
      ...FOR_ALL,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': language,
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${CSS_HASH}'; base-uri 'none'; form-action 'none'`,
      ...headers,
      'X-Robots-Tag': 'noindex',
    },
  );
}
