// Where a form may send the person next: the site's own pages, never anyone else's. Pure.

const LENGTH_MAX = 2048;

/**
 * wanted   what the form asks for: an absolute URL, or a path on its own site, as a link on the page would name it
 * origins  the site's own, exact
 * page     URL of the page the form is on (Origin or Referer header), which a path is resolved against
 * path     of that page, where the form says it: browsers name only the origin to other hosts
 * returns  an absolute URL on one of the origins, or null: then our own thank-you page is shown
 */
export function safeRedirect(
  wanted: string | undefined,
  origins: readonly string[],
  page: string | undefined,
  path?: string,
): string | null {
  const text = wanted?.replace(/^ +| +$/g, '');
  if (!text || text.length > LENGTH_MAX) return null;
  // Browsers drop tabs and newlines inside URLs and read \ as /: what a parser and a person see must be the same.
  if (/[\p{Cc}\p{Cf}\\]|(?! )\s/u.test(text)) return null;
  const target = /^https?:\/\//i.test(text) ? URL.parse(text) : onSite(text, page, path);
  if (!target || target.username || target.password || !origins.includes(target.origin)) return null;
  return target.href;
}

/** A path, with or without its slash; never another scheme's URL and never one that names a host. */
function onSite(text: string, page: string | undefined, path: string | undefined): URL | null {
  const here = page ? URL.parse(page) : null;
  if (!here || /^\/\//.test(text) || /^[a-z][a-z\d+.-]*:/i.test(text)) return null;
  const stated = here.pathname === '/' && path?.startsWith('/') ? URL.parse(path, here.href) : null;
  const base = stated?.origin === here.origin ? stated : here;
  const target = URL.parse(text, base.href);
  return target?.origin === here.origin ? target : null;
}
