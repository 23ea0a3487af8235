// The token of an unsubscribe or confirm link: the site's id and a random key kept on the row. No secret of ours is in
// it, so it outlives key rotation; the row comes back with a restore.
import { randomBytes } from 'node:crypto';
import type { Site, SiteDirectory } from '../../ground/site.ts';

const KEY_BYTES = 24; // 192 bits: unguessable
// Its length is fixed, so what follows is not its own: the full stop of the sentence a link stood in, a bracket, a blank.
const TOKEN = /^[A-Za-z0-9_-]{54}/;

export const newKey = (): string => randomBytes(KEY_BYTES).toString('base64url');

export const linkToken = (siteId: string, key: string): string =>
  Buffer.from(siteId.replaceAll('-', ''), 'hex').toString('base64url') + key;

export const unsubscribeUrl = (publicUrl: string, siteId: string, key: string): string =>
  `${publicUrl.replace(/\/$/, '')}/v1/unsubscribe/${linkToken(siteId, key)}`;

/** returns null for what no link of ours can be */
export function readLink(token: string): { siteId: string; key: string } | null {
  const [whole] = TOKEN.exec(token) ?? [];
  if (!whole) return null;
  const hex = Buffer.from(token.slice(0, 22), 'base64url').toString('hex');
  const siteId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { siteId, key: whole.slice(22) };
}

/** The site a link is of, and its key; null for what no link of ours can be. */
export function linkedSite(
  sites: Pick<SiteDirectory, 'find'>,
  token: string,
): { site: Site; key: string } | null {
  const read = readLink(token);
  const site = read && sites.find(read.siteId);
  return site ? { site, key: read.key } : null;
}
