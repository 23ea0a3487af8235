// The cookies of people who signed in, and from which pages they count. A site that is measured is mostly a sibling of this
// API's name, so SameSite alone keeps nobody out: every request with a cookie must come from a page of our own.
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';

/** Our own origin: PUBLIC_URL's, else what the client wrote. */
export const ownOrigin = (call: Call, publicUrl: string | undefined): string =>
  publicUrl ? new URL(publicUrl).origin : call.origin;

/** Only http://localhost, where there is no certificate, goes without. */
function isSecure(call: Call, publicUrl: string | undefined): boolean {
  if (publicUrl?.startsWith('https:')) return true;
  return !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(call.origin);
}

const NAMES = ['session', 'device', 'oidc'] as const;
type Name = (typeof NAMES)[number];
const nameOf = (call: Call, publicUrl: string | undefined, name: Name) =>
  isSecure(call, publicUrl) ? `__Host-${name}` : name;

/** '' when there is none. Another name than ours, as a sibling's page can set, is not looked at. */
export function readCookie(call: Call, publicUrl: string | undefined, name: Name): string {
  const wanted = `${nameOf(call, publicUrl, name)}=`;
  const pair = call
    .header('cookie')
    .split(/; */)
    .find((one) => one.startsWith(wanted));
  return pair?.slice(wanted.length) ?? '';
}

/** maxAgeSeconds  null: until the browser is closed; 0: gone */
export function writeCookie(
  call: Call,
  publicUrl: string | undefined,
  name: Name,
  value: string,
  maxAgeSeconds: number | null,
): string {
  const age = maxAgeSeconds === null ? '' : `; Max-Age=${maxAgeSeconds}`;
  const secure = isSecure(call, publicUrl) ? '; Secure' : '';
  // a provider sends the browser back from its own site: what was begun must come along, and signs nobody in by itself
  const sameSite = name === 'oidc' ? 'Lax' : 'Strict';
  return `${nameOf(call, publicUrl, name)}=${value}; Path=/; HttpOnly; SameSite=${sameSite}${secure}${age}`;
}

/** All that we gave a browser; those of siblings are theirs. */
export const endCookies = (call: Call, publicUrl: string | undefined): string[] =>
  NAMES.map((name) => writeCookie(call, publicUrl, name, '', 0));

/** Fetch metadata where the browser sends it (no page can forge it), else the Origin. */
function pageOf(call: Call, publicUrl: string | undefined): 'ours' | 'foreign' | 'none' {
  const site = call.header('sec-fetch-site');
  if (site) return site === 'same-origin' ? 'ours' : 'foreign';
  const { origin } = call.headers;
  if (origin === undefined) return 'none';
  return origin === ownOrigin(call, publicUrl) ? 'ours' : 'foreign';
}

const foreign = () =>
  new AppError(
    'origin_not_allowed',
    'A session counts only on pages of this API’s own origin. Programs send a key (POST /v1/keys) instead.',
  );

/** For every request whose cookie counts. throws  origin_not_allowed */
export function mustBeOwnPage(call: Call, publicUrl: string | undefined): void {
  if (pageOf(call, publicUrl) !== 'ours') throw foreign();
}

/** For what sets a cookie and asks for none: no other site's page signs somebody in. throws  origin_not_allowed */
export function mustNotBeForeign(call: Call, publicUrl: string | undefined): void {
  if (pageOf(call, publicUrl) === 'foreign') throw foreign();
}
