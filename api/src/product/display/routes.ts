// POST /v1/leads/display: whoever allowed to be named takes it back, by address or by the link of their mails.
import { z } from 'zod';
import { pageSite } from '../../ground/http/fields.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { atTick } from '../../ground/lib/tick.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { linkedSite } from '../consent/link.ts';
import { speakAsAgreed } from '../consent/link-page.ts';
import type { DisplayWithdrawal } from './display.ts';

export interface DisplayNeeds {
  sites: SiteDirectory;
  hashAddress(siteId: string, normalized: string): string;
  /** Takes it back now, or puts it into the journal while the database is away. */
  withdrawDisplay(request: DisplayWithdrawal): Promise<void>;
  /** In which language whoever has this link agreed. */
  languageOf(siteId: string, key: string): Promise<Language | undefined>;
}

export const WITHDRAW_DISPLAY = { at: 'POST /v1/leads/display', tells: 'form' } as const;

const input = z
  .object({
    email: z.string().trim().min(1).max(320).optional(),
    token: z.string().trim().min(1).max(200).optional().describe('of the link for leaving in their mails'),
    show: z
      .union([z.literal(false), z.literal('false')])
      .describe('only to take it back: a new permission is given at a box, with its words'),
    propertyId: pageSite,
  })
  .refine(({ email, token }) => (email === undefined) !== (token === undefined), {
    path: ['email'],
    message: 'give email or token',
  })
  .meta({ id: 'DisplayWithdrawal' });

export function displayRoutes({ sites, hashAddress, withdrawDisplay, languageOf }: DisplayNeeds): Route[] {
  return [
    route({
      ...WITHDRAW_DISPLAY,
      id: 'withdrawDisplay',
      says: 'Takes back that somebody may be named; the answer does not tell whether anybody is known',
      tag: 'consent',
      who: 'anyone',
      bucket: 'unsubscribe',
      takes: { as: ['json', 'form'], bytesMax: 4096, shape: input },
      answers: { 200: z.object({}).describe('Taken; a form gets a page that says so') },
      async run({ email, token, propertyId }, call) {
        const at = call.receivedAt.toISOString();
        if (token !== undefined) {
          const found = linkedSite(sites, token);
          if (found) {
            call.speaksFor(found.site);
            await Promise.all([
              withdrawDisplay({ site_id: found.site.siteId, at, basis: 'link', key: found.key }),
              speakAsAgreed(call, found, languageOf),
            ]);
          }
        } else {
          const address = readAddress(email!);
          if (!address)
            throw new AppError('invalid_request', 'This is not an email address.', {
              issues: [{ path: 'email', message: 'an address such as ada@example.com' }],
            });
          const site = await sites.ofPage(call.headers, propertyId);
          call.speaksFor(site);
          await withdrawDisplay({
            site_id: site.siteId,
            at,
            basis: 'request',
            email_normalized: address.normalized,
            email_hash: hashAddress(site.siteId, address.normalized),
          });
        }
        await atTick(call.began);
        if (!call.isForm || call.readsJson) return {};
        const words = wordsOf(call.language);
        return page(call, 200, words.done, html`<p>${words.notNamedAnyMore}</p>`);
      },
    }),
  ];
}
