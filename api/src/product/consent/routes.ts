// What people ask of us themselves: unsubscribe by link and by address, and what we say about privacy.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { pageSite } from '../../ground/http/fields.ts';
import { html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { cutText } from '../../ground/lib/text.ts';
import { atTick } from '../../ground/lib/tick.ts';
import type { Site, SiteDirectory } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { wordsOf, yourDataWords } from '../../ground/words/words.ts';
import { askedBy } from './asked-by.ts';
import { linkQuery, speakAsAgreed, spokenLink } from './link-page.ts';
import { EMAIL, purposesField, readPurposes } from './purposes.ts';
import type { Withdrawal, Withdrawn } from './record.ts';

export interface ConsentNeeds {
  sites: SiteDirectory;
  /** Withdraws now, or puts it into the journal while the database is away (outcome withdrawn then too). */
  withdraw: (request: Withdrawal) => Promise<Withdrawn>;
  hashAddress: (siteId: string, normalized: string) => string;
  /** Whether whoever has this link may be named on the site. */
  isNamed: (siteId: string, key: string) => Promise<boolean>;
  /** In which language whoever has this link agreed. */
  languageOf: (siteId: string, key: string) => Promise<Language | undefined>;
}

const BODY_BYTES_MAX = 4096;

const SHOW_UNSUBSCRIBE = { at: 'GET /v1/unsubscribe/:token', tells: 'link' } as const;
const UNSUBSCRIBE_BY_LINK = { at: 'POST /v1/unsubscribe/:token', tells: 'link' } as const;
const UNSUBSCRIBE_BY_ADDRESS = { at: 'POST /v1/leads/unsubscribe', tells: 'form' } as const;
export const consentTells = [SHOW_UNSUBSCRIBE, UNSUBSCRIBE_BY_LINK, UNSUBSCRIBE_BY_ADDRESS];

const unsubscribeInput = z
  .object({
    email: z.string().trim().min(1).max(320),
    reason: z
      .string()
      .trim()
      .transform((words) => cutText(words, 500))
      .optional()
      .catch(undefined),
    purposes: purposesField.optional().describe('what no longer; default: everything'),
    propertyId: pageSite.describe("without it the page's own site; without a page of ours every site here"),
  })
  .meta({ id: 'Unsubscribe' });

export function consentRoutes(needs: ConsentNeeds): Route[] {
  const { sites, withdraw, isNamed, languageOf } = needs;
  const common = { tag: 'consent', who: 'anyone' } as const;
  return [
    route({
      ...common,
      ...SHOW_UNSUBSCRIBE,
      id: 'showUnsubscribe',
      says: 'A page that asks whether everything ends, or only what the mail was for; writes nothing',
      takes: { as: 'query', shape: linkQuery.extend({ purpose: purposesField.optional() }) },
      answers: {
        200: { says: 'The page', type: 'text/html' },
        404: { says: 'No link of ours', type: 'text/html' },
      },
      // Mail scanners open every link: looking writes nothing.
      async run({ lang, purpose }, call) {
        const found = spokenLink(sites, call, lang);
        if (!found) return lost(call);
        // leaving works without a database too
        const [named] = await Promise.all([
          isNamed(found.site.siteId, found.key).catch(() => false),
          speakAsAgreed(call, found, languageOf),
        ]);
        return askWhat(call, found.site, purpose ?? [EMAIL], named);
      },
    }),
    route({
      ...common,
      ...UNSUBSCRIBE_BY_LINK,
      id: 'unsubscribeByLink',
      says: 'Withdraws at once: everything, or the purpose that the link names in ?purpose=; also RFC 8058 one-click',
      takes: {
        as: ['text'],
        bytesMax: BODY_BYTES_MAX,
        optional: true,
        documents: z.object({
          'List-Unsubscribe': z.string().optional(),
          what: z
            .enum(['all', 'purpose'])
            .optional()
            .describe('of the page: everything, or only what the mail was for'),
        }),
      },
      answers: {
        200: { says: 'Withdrawn', type: 'text/html' },
        404: { says: 'No link of ours', type: 'text/html' },
      },
      async run(_input, call) {
        const query = new URLSearchParams(call.querystring);
        const found = spokenLink(sites, call, query.get('lang'));
        if (!found) return lost(call);
        const isOneClick = typeof call.body === 'string' && call.body.includes('One-Click');
        const purposes = endedBy(call, isOneClick, readPurposes(query.get('purpose') ?? undefined));
        const { outcome, leadId } = await withdraw({
          ...request(call),
          site_id: found.site.siteId,
          key: found.key,
          basis: isOneClick ? 'one_click' : 'unsubscribe_link',
          purposes,
        });
        if (outcome === 'unknown') return lost(call);
        if (leadId) await speakAsAgreed(call, found, languageOf);
        const words = wordsOf(call.language);
        const says = purposes && !purposes.includes(EMAIL) ? words.onlyThatEnded : words.noMoreMail;
        return page(call, 200, words.unsubscribed, html`<p>${says}</p>${toYourData(call)}`);
      },
    }),
    route({
      ...common,
      ...UNSUBSCRIBE_BY_ADDRESS,
      id: 'unsubscribeByAddress',
      says: 'Withdraws by address; the answer does not tell whether it is known',
      bucket: 'unsubscribe',
      takes: { as: ['json', 'form'], bytesMax: BODY_BYTES_MAX, shape: unsubscribeInput },
      answers: { 200: z.object({}).describe('Taken; a form gets a page that says so') },
      run: (input, call) => unsubscribeAddress(needs, input, call),
    }),
  ];
}

async function unsubscribeAddress(
  { sites, withdraw, hashAddress }: ConsentNeeds,
  input: z.output<typeof unsubscribeInput>,
  call: Call,
): Promise<object | Reply> {
  const address = readAddress(input.email);
  if (!address)
    throw new AppError('invalid_request', 'This is not an email address.', {
      issues: [{ path: 'email', message: 'an address such as ada@example.com' }],
    });
  const meant = await meantSites(sites, call, input.propertyId);
  if (meant.length === 1) call.speaksFor(meant[0]!);
  // the same writes on each site, whether it knows the address or not
  for (const { siteId } of meant)
    await withdraw({
      ...request(call),
      site_id: siteId,
      email_normalized: address.normalized,
      email_hash: hashAddress(siteId, address.normalized),
      basis: 'unsubscribe_request',
      purposes: input.purposes,
      reason: input.reason || undefined,
    });
  await atTick(call.began); // known or not: the same words after the same time
  if (!call.isForm || call.readsJson) return {};
  const words = wordsOf(call.language);
  return page(call, 200, words.done, html`<p>${words.noMailIfKnown}</p>`);
}

/** Two choices and a button; what a program posts without a choice ends everything. of: what the mail was for */
function askWhat(call: Call, { settings, name }: Site, of: string[], named: boolean): Reply {
  const words = wordsOf(call.language);
  const { senderName } = settings;
  const who = typeof senderName === 'string' ? senderName : name || null;
  const choice = (value: string, label: string, checked: boolean) =>
    html`<label class="choice"><input type="radio" name="what" value="${value}"${checked && html` checked`}> <span>${label}</span></label>`;
  const only = of.includes(EMAIL) ? words.onlyMail : words.onlyPurpose(of.join(', '));
  return page(
    call,
    200,
    words.unsubscribe,
    html`<p>${words.pressToUnsubscribe(who)}</p><form method="post"><fieldset><legend>${words.whatEnds}</legend>${choice('all', words.everythingEnds, true)}${choice('purpose', only, false)}</fieldset><button type="submit">${words.unsubscribe}</button></form>${named && hideName(call)}${toYourData(call)}`,
  );
}

/** Mails and being named are apart: this button moves nothing else. */
const hideName = (call: Call) =>
  html`<form method="post" action="/v1/leads/display"><input type="hidden" name="token" value="${call.params.token!}"><input type="hidden" name="show" value="false"><p class="soft">${wordsOf(call.language).named}</p><button type="submit" class="quiet">${wordsOf(call.language).stopNaming}</button></form>`;

const toYourData = (call: Call) =>
  html`<p class="soft"><a href="${yourDataPath(call)}">${yourDataWords(call.language).link}</a></p>`;

/**
 * named    by the link itself: of whoever sends mails of several kinds, and put it there
 * returns  undefined: everything
 */
function endedBy(call: Call, isOneClick: boolean, named: string[] | undefined): string[] | undefined {
  if (isOneClick) return named;
  const what = new URLSearchParams(typeof call.body === 'string' ? call.body : '').get('what');
  return what === 'purpose' ? (named ?? [EMAIL]) : undefined;
}

/** Whose mail shall end: of the site that is named, of the page's own, or of all, since nobody learns that it was another. */
async function meantSites(sites: SiteDirectory, call: Call, named: string | undefined): Promise<Site[]> {
  if (named !== undefined) return [await sites.ofPage(call.headers, named)];
  const page = URL.parse(call.header('origin')) ?? URL.parse(call.header('referer'));
  const own = sites
    .list()
    .find(({ origins, domain }) => page && (origins.includes(page.origin) || domain === page.hostname));
  return own ? [own] : sites.list();
}

const request = (call: Call) => ({
  request_id: randomUUID(),
  at: new Date().toISOString(),
  ...askedBy(call),
});

function lost(call: Call): Reply {
  const words = wordsOf(call.language);
  return page(call, 404, words.linkBroken, html`<p>${words.addressIncomplete}</p>`);
}
