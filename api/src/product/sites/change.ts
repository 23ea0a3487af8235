// Changes a site's settings from another room: read under a lock, merged, and known to this process at once.
import type { Db } from '../../ground/db/pool.ts';
import type { Site } from '../../ground/site.ts';
import { lockSite, updateSite } from './queries.ts';
import type { SitePatch } from './schema.ts';

type Settings = SitePatch['settings'] & object;

/**
 * db      inside a transaction; the site stays locked until it ends
 * change  what to merge into the settings; null removes a name
 * returns the site as it is now; null: there is none
 */
export async function changeSettings(
  db: Db,
  siteId: string,
  change: (site: Site) => Settings,
): Promise<Site | null> {
  const site = await lockSite(db, siteId);
  return site && updateSite(db, siteId, { settings: change(site) });
}
