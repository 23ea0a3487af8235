// The page that a link in a mail opens: whose it is, and in which language.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import { hearLink, spokenTo } from '../sites/language.ts';
import { linkedSite } from './link.ts';

export const linkQuery = z.object({ lang: spokenTo.shape.lang });

/** returns  null for what no link of ours can be */
export function spokenLink(
  sites: Pick<SiteDirectory, 'find'>,
  call: Call,
  lang: unknown,
): { site: Site; key: string } | null {
  hearLink(call, lang);
  const found = linkedSite(sites, call.params.token!);
  if (found) call.speaksFor(found.site);
  return found;
}
