// Where a form may send the person next: the site's own pages, never anyone else's. Pure.

const LENGTH_MAX = 2048;

/**
 * wanted   what the form asks for: an absolute URL, or a local path
 * origins  the site's own, exact
 * page     URL of the page the form is on (Origin or Referer header), which a local path is resolved against
 * returns  an absolute URL on one of the origins, or null: then our own thank-you page is shown
 */
export function safeRedirect(
  wanted: string | undefined,
  origins: string[],
  page: string | undefined,
): string | null {
  if (!wanted || wanted.length > LENGTH_MAX) return null;
  // Browsers drop tabs and newlines inside URLs and read \ as /: what a parser and a person see must be the same.
  if (/[\p{Cc}\p{Cf}\\\s]/u.test(wanted)) return null;
  let target: URL;
  if (/^https?:\/\//i.test(wanted)) {
    if (!URL.canParse(wanted)) return null;
    target = new URL(wanted);
  } else {
    if (!/^\/(?!\/)/.test(wanted) || !page || !URL.canParse(page)) return null;
    const base = new URL(page).origin;
    if (!URL.canParse(wanted, base)) return null;
    target = new URL(wanted, base);
    if (target.origin !== base) return null;
  }
  if (target.username || target.password || !origins.includes(target.origin)) return null;
  return target.href;
}
