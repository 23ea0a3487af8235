// Whose page sends: what pages send that are not of the site is refused, and its owner sees which pages those were.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import type { Sites } from '../sites/recognise.ts';
import type { Ledger } from './ledger.ts';
import { listPageOrigins, type SeenOrigin } from './queries.ts';

export function notOfSite(call: Call): AppError {
  const origin = call.header('origin');
  return new AppError(
    'origin_not_allowed',
    "This page is not of the site, so nothing of it is taken. Add its origin to the site's list (PATCH /v1/sites/{siteId}) if it is.",
    { issues: [{ path: 'origin', message: `${shown(origin)} is not on the site's list` }] },
  );
}

/** An origin as it may be shown and kept: scheme, host and port; `null` for a file and for what hides its own. */
function shown(origin: string): string {
  const url = URL.parse(origin);
  return url?.host ? `${url.protocol}//${url.host}` : 'null';
}

/** throws  origin_not_allowed for a page that is not of the site; the page can read the answer either way */
export function judgeOrigin(
  { sites, ledger }: { sites: Sites; ledger: Ledger },
  call: Call,
  site: Site,
): void {
  const { origin } = call.headers;
  // our own pages try a form as visitors do
  if (origin === undefined || origin === call.origin) return;
  const standing = sites.standing(site, origin);
  if (standing === 'own') return;
  call.letPageRead();
  ledger.page(site.siteId, shown(origin), standing === 'unlisted' ? 'taken' : 'refused');
  if (standing === 'stranger') throw notOfSite(call);
}

const seenShape = z.object({
  origin: z.string().describe('scheme, host and port; `null` for a file and for what hides its own'),
  count: z.int().min(1),
  firstSeenAt: utc,
  lastSeenAt: utc,
  patch: z
    .object({ origins: z.array(z.string()) })
    .nullable()
    .describe('body of the PATCH /v1/sites/{siteId} that adds it; null: it cannot be added'),
});

function seenOf(site: Site, seen: SeenOrigin, count: number): z.output<typeof seenShape> {
  const { origin, firstSeenAt, lastSeenAt } = seen;
  const isWeb = /^https?:/.test(origin);
  return {
    origin,
    count,
    firstSeenAt,
    lastSeenAt,
    patch: isWeb ? { origins: [...site.origins, origin] } : null,
  };
}

export function originRoute({ db, ledger, sites }: { db: Pool; ledger: Ledger; sites: Sites }): Route {
  return route({
    at: 'GET /v1/sites/:siteId/refused-origins',
    id: 'listRefusedOrigins',
    says: 'Lists pages that sent to this site and are not on its list: refused, or taken while it lists none; with the change that adds each',
    tag: 'sites',
    who: 'settings',
    of: 'path',
    shows: 'no people',
    answers: {
      200: z.object({
        origins: z.array(z.string()).describe('those the site lists'),
        refusedOrigins: z.array(seenShape),
        proposedOrigins: z.array(seenShape).describe('taken, because the site listed none'),
      }),
    },
    async run(_input, call) {
      await Promise.all([ledger.flush(), sites.reload()]);
      const site = sites.find(call.site.siteId) ?? call.site;
      const seen = (await listPageOrigins(db, site.siteId)).filter(
        ({ origin }) => !site.origins.includes(origin),
      );
      return {
        origins: site.origins,
        refusedOrigins: seen
          .filter(({ refused }) => refused > 0)
          .map((one) => seenOf(site, one, one.refused)),
        proposedOrigins: seen.filter(({ taken }) => taken > 0).map((one) => seenOf(site, one, one.taken)),
      };
    },
  });
}
