// Which site a request is for: propertyId, else the site whose origin the page has, else `default`. Kept in memory:
// every request asks, and sites change a few times a year.
import type { Context } from 'koa';
import type { Pool } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import { listSites, type Site } from './queries.ts';

const hosts = new WeakMap<Site, string[]>();

/** The site's own hosts: its domain and those of its origins. */
export function hostsOf(site: Site): string[] {
  let known = hosts.get(site);
  if (!known) {
    known = [
      ...(site.domain ? [site.domain] : []),
      ...site.origins.map((origin) => new URL(origin).hostname),
    ];
    hosts.set(site, known);
  }
  return known;
}

export interface Sites {
  /** Reads the sites anew; also runs by itself every 10 s, so that another process's change arrives. */
  reload(): Promise<void>;
  list(): Site[];
  ids(): string[];
  find(siteId: string): Site | undefined;
  /** The site called `default`, which every refusal without a known site counts for. */
  fallback(): Site;
  /** Whether some site (or CORS_ALLOWED_ORIGINS) has this origin, exactly. */
  allowsOrigin(origin: string): boolean;
  /** throws invalid_request with path propertyId, when a key is named that no site has */
  recognise(ctx: Context, propertyId: string | undefined): Promise<Site>;
  close(): void;
}

export async function knownSites(db: Pool, extraOrigins: string[], log: Log): Promise<Sites> {
  let all: Site[] = [];
  let byKey = new Map<string, Site>();
  let byOrigin = new Map<string, Site>();
  let byHost = new Map<string, Site>();
  let readAt = 0;
  async function reload(): Promise<void> {
    all = await listSites(db);
    byKey = new Map(all.map((site) => [site.key, site]));
    byOrigin = new Map(all.flatMap((site) => site.origins.map((origin) => [origin, site] as const)));
    byHost = new Map(all.flatMap((site) => (site.domain ? [[site.domain, site] as const] : [])));
    readAt = performance.now();
  }
  await reload();
  const timer = setInterval(() => {
    reload().catch((err) => log.warn({ err }, 'sites could not be read anew'));
  }, 10_000).unref();
  const pageOf = (ctx: Context): URL | null => {
    for (const header of [ctx.get('origin'), ctx.get('referer')]) {
      if (header && header !== 'null' && URL.canParse(header)) return new URL(header);
    }
    return null;
  };
  const sites: Sites = {
    reload,
    list: () => all,
    ids: () => all.map((site) => site.siteId),
    find: (siteId) => all.find((site) => site.siteId === siteId),
    fallback: () => byKey.get('default') ?? all[0]!,
    allowsOrigin: (origin) => byOrigin.has(origin) || extraOrigins.includes(origin),
    async recognise(ctx, propertyId) {
      if (propertyId !== undefined) {
        // A site made by another process a moment ago; asked at most once a second, whatever keys are tried.
        if (!byKey.has(propertyId) && performance.now() - readAt > 1000) await reload();
        const site = byKey.get(propertyId);
        if (site) return site;
        throw new AppError('invalid_request', 'No site has this propertyId. Compare it with GET /v1/sites.', {
          issues: [{ path: 'propertyId', message: 'is not known' }],
        });
      }
      const { origin } = ctx.req.headers;
      const ofOrigin = origin && byOrigin.get(origin);
      if (ofOrigin) return ofOrigin;
      const page = pageOf(ctx);
      return (page && (byOrigin.get(page.origin) ?? byHost.get(page.hostname))) || sites.fallback();
    },
    close: () => clearInterval(timer),
  };
  return sites;
}
