// Which site a request is for: propertyId, else the site whose origin the page has, else `default`. Kept in memory:
// every request asks, and sites change a few times a year.
import type { Channel } from '../../ground/db/listen.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import { adoptRegion, listSites } from './queries.ts';
import { type Stop, stopsOf } from './stops.ts';

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

const RELOAD_MS = 10_000;
/** Where changes are heard, in case one was not. */
const RELOAD_HEARING_MS = 60_000;

export interface Sites extends SiteDirectory {
  /** Reads the sites anew. */
  reload(): Promise<void>;
  /** Another process's changes; while they are not heard the sites are read every 10 s. */
  channel: Channel;
  ids(): string[];
  /** Why nothing, or no event, is taken for a site; undefined: everything is. */
  stopOf(siteId: string): Stop | undefined;
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

/** region  DATA_REGION: where this installation is; undefined: nobody said */
export async function knownSites(
  db: Pool,
  extraOrigins: string[],
  log: Log,
  region?: string,
): Promise<Sites> {
  let all: Site[] = [];
  let stops = new Map<string, Stop>();
  let byKey = new Map<string, Site>();
  let byOrigin = new Map<string, Site>();
  let byHost = new Map<string, Site>();
  let readAt = 0;
  async function reload(): Promise<void> {
    const listed = await listSites(db);
    all = listed.map(({ site }) => site);
    stops = stopsOf(listed, region);
    byKey = new Map(all.map((site) => [site.key, site]));
    byOrigin = new Map(all.flatMap((site) => site.origins.map((origin) => [origin, site] as const)));
    byHost = new Map(all.flatMap((site) => (site.domain ? [[site.domain, site] as const] : [])));
    readAt = performance.now();
  }
  if (region) await adoptRegion(db, region);
  await reload();
  let hearing = false;
  const reloadAnyway = () => {
    reload().catch((err) => log.warn({ err }, 'sites could not be read anew'));
  };
  const timer = setInterval(() => {
    if (!hearing || performance.now() - readAt >= RELOAD_HEARING_MS) reloadAnyway();
  }, RELOAD_MS).unref();
  // A site made by another process a moment ago; asked at most once a second, whatever names are tried.
  async function known<T>(find: () => T | undefined): Promise<T | undefined> {
    const found = find();
    if (found !== undefined || performance.now() - readAt <= 1000) return found;
    await reload();
    return find();
  }
  async function ofKey(key: string): Promise<Site> {
    const site = await known(() => byKey.get(key));
    if (site) return site;
    throw new AppError('invalid_request', 'No site has this propertyId. Compare it with GET /v1/sites.', {
      issues: [{ path: 'propertyId', message: 'is not known' }],
    });
  }
  const sites: Sites = {
    reload,
    channel: {
      name: 'sites_changed',
      heard: reloadAnyway,
      hears(changes) {
        // what changed before this moment was not heard
        if (changes && !hearing) reloadAnyway();
        hearing = changes;
      },
    },
    list: () => all,
    ids: () => all.map((site) => site.siteId),
    stopOf: (siteId) => stops.get(siteId),
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
    ofPage(headers, key) {
      if (key !== undefined) return byKey.get(key) ?? ofKey(key);
      const ofOrigin = headers.origin && byOrigin.get(headers.origin);
      if (ofOrigin) return ofOrigin;
      const page = pageOf(headers);
      return (page && (byOrigin.get(page.origin) ?? byHost.get(page.hostname))) || sites.fallback();
    },
    close: () => clearInterval(timer),
  };
  return sites;
}
