// The page that a link in a mail opens: whose it is, and in which language.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { hearLink, spokenTo } from '../sites/language.ts';
import { linkedSite } from './link.ts';

export const linkQuery = z.object({ lang: spokenTo.shape.lang });

/**
 * The language of the consent before the site's, for a link that says none: those of lists and of one-click are put into mails as they are.
 * languageOf  may fail: leaving works without a database too
 */
export async function speakAsAgreed(
  call: Call,
  { site, key }: { site: Site; key: string },
  languageOf: (siteId: string, key: string) => Promise<Language | undefined>,
): Promise<void> {
  call.languages.consent ??= await languageOf(site.siteId, key).catch(() => undefined);
}

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
