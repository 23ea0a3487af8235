// GET /: what a person meets who types the name into a browser, and a program that asks the same.
import { z } from 'zod';
import { wordsOf } from '../words/words.ts';
import { html } from './html.ts';
import { page } from './page.ts';
import { Reply } from './reply.ts';
import { type Route, route } from './route.ts';

const LINKS = { privacy: '/v1/privacy', api: '/v1/openapi.json', health: '/v1/healthz' };

/** Needs neither database nor key, and says nothing about the installation that a visitor may not know. */
export function frontRoute(): Route {
  return route({
    at: 'GET /',
    id: 'getFront',
    says: 'What this is: a page for a person, JSON for a program',
    tag: 'health',
    who: 'anyone',
    bucket: 'none',
    quiet: true,
    answers: {
      200: z.object({
        service: z.literal('marketing-api'),
        says: z.string(),
        links: z.object({ privacy: z.string(), api: z.string(), health: z.string() }),
      }),
    },
    run(_input, call) {
      const varies = { Vary: 'Origin, Accept, Accept-Language' };
      if (!call.readsPages)
        return new Reply(
          200,
          { service: 'marketing-api', says: wordsOf('en').whatItIs, links: LINKS },
          varies,
        );
      const words = wordsOf(call.language);
      const { status, body, headers } = page(
        call,
        200,
        words.itRuns,
        html`<p>${words.whatItIs}</p><p class="soft">${words.forOwner}</p><p><a href="${LINKS.api}">${words.allRoutes}</a></p>`,
      );
      return new Reply(status, body, { ...headers, ...varies });
    },
  });
}
