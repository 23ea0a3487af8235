// Which site a call is for, by its route's `of`: one rule, whatever the route.
import { AppError } from '../lib/app-error.ts';
import type { Site, SiteDirectory } from '../site.ts';
import type { Call } from './call.ts';
import type { Caller, Capability } from './caller.ts';
import type { Route } from './route.ts';

/** What a caller may be asked for here; undefined: anything they have. */
type What = Capability | undefined;

const mayAskFor = (caller: Caller, { siteId }: Site, what: What): boolean =>
  (caller.siteIds === 'all' || caller.siteIds.includes(siteId)) &&
  (what === undefined || caller.may(what, siteId));

/** The sites a caller may ask about, or do this at. */
export const sitesOf = (sites: SiteDirectory, caller: Caller, what?: Capability): Site[] =>
  sites.list().filter((site) => mayAskFor(caller, site, what));

/**
 * One rule for naming a site, whatever the route: by key or by id; without a name `default`, or the caller's first.
 * throws  invalid_request with path propertyId: there is no such site, or it is not the caller's, which is the same to them
 */
export async function siteNamed(
  sites: SiteDirectory,
  caller: Caller,
  name?: string,
  what?: Capability,
): Promise<Site> {
  const fallback = sites.fallback();
  const site =
    name === undefined
      ? mayAskFor(caller, fallback, what)
        ? fallback
        : sitesOf(sites, caller, what)[0]
      : await sites.named(name);
  if (site && mayAskFor(caller, site, what)) return site;
  throw new AppError('invalid_request', 'No site has this propertyId. Compare it with GET /v1/sites.', {
    issues: [{ path: 'propertyId', message: 'is not known' }],
  });
}

const isCapability = (who: Route['who']): who is Capability =>
  who !== 'anyone' && who !== 'inside' && who !== 'person' && who !== 'caller';

/** Gives the call its site, or its sites. throws  not_found, invalid_request */
export async function findSite(
  route: Route,
  input: unknown,
  call: Call,
  sites: SiteDirectory,
): Promise<void> {
  const named = (input as { propertyId?: string } | undefined)?.propertyId;
  const what = isCapability(route.who) ? route.who : undefined;
  switch (route.of) {
    case 'page':
      call.site = await sites.ofPage(call.headers, named);
      break;
    case 'named':
      call.site = await siteNamed(sites, call.caller, named, what);
      break;
    case 'path': {
      const site = await sites.named(call.params.siteId!);
      if (!site || !mayAskFor(call.caller, site, what))
        throw new AppError('not_found', 'There is no site with this id.');
      call.site = site;
      break;
    }
    case 'named or all':
      if (named !== undefined) call.site = await siteNamed(sites, call.caller, named, what);
      call.siteIds =
        named === undefined
          ? sitesOf(sites, call.caller, what).map(({ siteId }) => siteId)
          : [call.site.siteId];
      break;
    case 'all':
      call.siteIds = sitesOf(sites, call.caller, what).map(({ siteId }) => siteId);
      break;
  }
}
