// A site: one web property. Everything that is kept belongs to one.

export interface Site {
  siteId: string;
  /** Public propertyId. */
  key: string;
  name: string;
  domain: string | null;
  /** Exact origins, scheme://host[:port]. */
  origins: string[];
  settings: Record<string, unknown>;
  /** Where its data has to be; null: nobody said. */
  dataRegion: string | null;
  createdAt: string;
  updatedAt: string;
}

/** Whose days the site's are. */
export const timeZoneOf = ({ settings }: Pick<Site, 'settings'>): string =>
  typeof settings.timeZone === 'string' ? settings.timeZone : 'UTC';

/** For actions that belong to no site. */
export const NO_SITE = '00000000-0000-0000-0000-000000000000';

/** The sites there are, kept in memory: every request asks, and they change a few times a year. */
export interface SiteDirectory {
  list(): Site[];
  find(siteId: string): Site | undefined;
  /** The site called `default`, which every refusal without a known site counts for. */
  fallback(): Site;
  /** By key or by id; undefined when there is none, also after reading anew (at most once a second). */
  named(keyOrId: string): Promise<Site | undefined>;
  /**
   * The site that a page's request is for: of this key, else of the page's origin, else `default`. Nearly always it is known at
   * once, so that no event waits for a promise; only a key that is not known yet is looked for.
   * throws  invalid_request with path propertyId, when a key is named that no site has
   */
  ofPage(
    headers: { origin?: string | undefined; referer?: string | undefined },
    key?: string,
  ): Site | Promise<Site>;
}
