// How far a caller reaches, and sites as they name them in a list: by key or id, and only theirs.
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';

/**
 * call     of a route whose `of` is "all"
 * returns  ids, each once. throws  invalid_request: there is no such site, or it is not the caller's, which is the same to them
 */
export async function sitesNamed(
  sites: SiteDirectory,
  names: readonly string[],
  call: Call,
  path = 'sites',
): Promise<string[]> {
  const found = new Set<string>();
  for (const [i, name] of names.entries()) {
    const site = await sites.named(name);
    if (!site || !call.siteIds.includes(site.siteId))
      throw new AppError('invalid_request', 'No site has this key or id. Compare it with GET /v1/sites.', {
        issues: [{ path: `${path}.${i}`, message: 'is not known' }],
      });
    found.add(site.siteId);
  }
  return [...found];
}

/** For a route whose `of` is "all". null: every site, also those to come. */
export const reachOf = (call: Call): readonly string[] | null =>
  call.caller.siteIds === 'all' ? null : call.siteIds;
