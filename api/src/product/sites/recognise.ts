// Which site a request is for: propertyId, else the site whose origin the page has, else `default`. Kept in memory:
// every request asks, and sites change a few times a year.
import type { Pool } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import { listSites } from './queries.ts';

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

const rules = new WeakMap<Site, { keepTrailingSlash: boolean; hashRoutes: boolean }>();

/** How a site's paths are spelt; worked out once a site, as every event asks. */
export function pathRulesOf(site: Site): { keepTrailingSlash: boolean; hashRoutes: boolean } {
  let known = rules.get(site);
  if (!known) {
    const { keepTrailingSlash, hashRoutes } = site.settings;
    known = { keepTrailingSlash: keepTrailingSlash === true, hashRoutes: hashRoutes === true };
    rules.set(site, known);
  }
  return known;
}

export interface Sites extends SiteDirectory {
  /** Reads the sites anew; also runs by itself every 10 s, so that another process's change arrives. */
  reload(): Promise<void>;
  ids(): string[];
  /** Whether some site (or CORS_ALLOWED_ORIGINS) has this origin, exactly. */
  allowsOrigin(origin: string): boolean;
  /**
   * Whether a page of this origin is the site's (contract, "Whose page").
   * unlisted  the site lists none yet, so that any page on the web may be its own
   * origin    the Origin header; absent from servers and pictures, of which nothing is asked
   */
  standing(site: Site, origin: string | undefined): 'own' | 'unlisted' | 'stranger';
  close(): void;
}

// Somebody's own machine: a site under work, or a saved copy of one.
const LOOPBACK = /^https?:\/\/(?:localhost|[^/:]+\.localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\])(?::\d+)?$/i;

/** The page that sends this; null where the browser keeps it to itself. */
function pageOf(headers: { origin?: string | undefined; referer?: string | undefined }): URL | null {
  for (const header of [headers.origin, headers.referer])
    if (header && header !== 'null' && URL.canParse(header)) return new URL(header);
  return null;
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
  // A site made by another process a moment ago; asked at most once a second, whatever names are tried.
  async function known<T>(find: () => T | undefined): Promise<T | undefined> {
    const found = find();
    if (found !== undefined || performance.now() - readAt <= 1000) return found;
    await reload();
    return find();
  }
  const sites: Sites = {
    reload,
    list: () => all,
    ids: () => all.map((site) => site.siteId),
    find: (siteId) => all.find((site) => site.siteId === siteId),
    fallback: () => byKey.get('default') ?? all[0]!,
    allowsOrigin: (origin) => byOrigin.has(origin) || extraOrigins.includes(origin),
    standing(site, origin) {
      if (origin === undefined || site.origins.includes(origin) || extraOrigins.includes(origin))
        return 'own';
      if (site.origins.length > 0) return 'stranger';
      return /^https?:\/\//i.test(origin) && !LOOPBACK.test(origin) ? 'unlisted' : 'stranger';
    },
    named: (name) => known(() => byKey.get(name) ?? sites.find(name)),
    async ofPage(headers, key) {
      if (key !== undefined) {
        const site = await known(() => byKey.get(key));
        if (site) return site;
        throw new AppError('invalid_request', 'No site has this propertyId. Compare it with GET /v1/sites.', {
          issues: [{ path: 'propertyId', message: 'is not known' }],
        });
      }
      const ofOrigin = headers.origin && byOrigin.get(headers.origin);
      if (ofOrigin) return ofOrigin;
      const page = pageOf(headers);
      return (page && (byOrigin.get(page.origin) ?? byHost.get(page.hostname))) || sites.fallback();
    },
    close: () => clearInterval(timer),
  };
  return sites;
}
