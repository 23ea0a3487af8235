// On which page of whose site a frame or a picture of ours stands, as far as its request tells.
interface Asked {
  origin: string;
  header(name: string): string;
}

/**
 * The path of the page that the Referer names; null: not said. Of another origin only that is said as a rule, which looks like
 * its first page.
 * own  the frame's own path: loaded anew it comes from itself
 */
export function framedAt(call: Asked, own: string): string | null {
  const from = URL.parse(call.header('referer'));
  if (!from || from.pathname === own) return null;
  return from.pathname === '/' && from.origin !== call.origin ? null : from.pathname;
}
