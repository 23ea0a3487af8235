// GET /: what a person meets who types the name into a browser, and a program that asks the same.
import { z } from 'zod';
import { html } from './html.ts';
import { page } from './page.ts';
import { Reply } from './reply.ts';
import { type Route, route } from './route.ts';

const SAYS = 'Counts visits to a website and takes its forms, on a machine of that website’s owner.';
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
      if (!call.readsPages)
        return new Reply(
          200,
          { service: 'marketing-api', says: SAYS, links: LINKS },
          { Vary: 'Origin, Accept' },
        );
      const { status, body, headers } = page(
        200,
        'It runs',
        html`<p>${SAYS}</p><p>You visited that website? <a href="${LINKS.privacy}">What is kept, of whom and how long</a>.</p><p>You own it? <code>scripts/admin-key</code> prints the key, <code>scripts/status</code> shows how it fares, and <a href="${LINKS.api}">everything that can be asked</a> is described here.</p>`,
      );
      return new Reply(status, body, { ...headers, Vary: 'Origin, Accept' });
    },
  });
}
