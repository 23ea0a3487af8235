// In which language a link of ours asks to be shown, and for which site: what a page's query may say.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { type Language, readLanguage } from '../../ground/words/language.ts';

const lang = z
  .string()
  .max(35)
  .optional()
  .catch(undefined)
  .describe("en or fr; else the site's language, else the browser's");

export const spokenTo = z.object({
  lang,
  propertyId: z.string().max(128).optional().catch(undefined).describe('whose notice the page leads to'),
});

/** A page is shown whatever its query says. */
export function hear(
  call: Call,
  sites: Pick<SiteDirectory, 'list'>,
  wanted: { lang?: string | undefined; propertyId?: string | undefined },
): void {
  const site = sites.list().find(({ key }) => key === wanted.propertyId);
  if (site) call.speaksFor(site);
  hearLink(call, wanted.lang);
}

export function hearLink(call: Call, wanted: unknown): void {
  call.languages.consent = readLanguage(wanted) ?? call.languages.consent;
}

/** Of what a form sends about consent, however it is written. */
export function formLanguage(body: Record<string, unknown>): Language | undefined {
  const { consent, consentLanguage } = body;
  const told =
    typeof consent === 'object' && consent !== null
      ? (consent as { language?: unknown }).language
      : undefined;
  return readLanguage(told ?? body['consent[language]'] ?? consentLanguage);
}
