// The second step of a double opt-in: GET /v1/confirm/{token} shows a button, POST confirms.
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { readUserAgent } from '../events/user-agent.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { askedBy } from './asked-by.ts';
import { linkQuery, spokenLink } from './link-page.ts';
import { CONFIRM_VALID_DAYS, type Confirmation, type Confirmed } from './opt-in.ts';

export interface ConfirmNeeds {
  sites: Pick<SiteDirectory, 'find'>;
  settings: { inactivityMinutes: number };
  senderDefaults: SenderDefaults;
  /** Confirms now, or puts it into the journal while the database is away: then nobody knows yet what the link is worth. */
  confirm: (request: Confirmation) => Promise<Confirmed | 'journalled'>;
}

const SHOW_CONFIRM = { at: 'GET /v1/confirm/:token', tells: 'link' } as const;
const CONFIRM = { at: 'POST /v1/confirm/:token', tells: 'link' } as const;
export const confirmTells = [SHOW_CONFIRM, CONFIRM];

export function confirmRoutes({ sites, settings, confirm, senderDefaults }: ConfirmNeeds): Route[] {
  const common = { tag: 'consent', who: 'anyone' } as const;
  return [
    route({
      ...common,
      ...SHOW_CONFIRM,
      id: 'showConfirm',
      says: 'A page with one button; writes nothing',
      takes: { as: 'query', shape: linkQuery },
      answers: {
        200: { says: 'The page', type: 'text/html' },
        404: { says: 'No link of ours', type: 'text/html' },
      },
      run({ lang }, call) {
        const found = spokenLink(sites, call, lang);
        if (!found) return lost(call);
        const words = wordsOf(call.language);
        const { name } = senderOf(found.site, senderDefaults);
        return page(
          call,
          200,
          words.confirmTitle,
          html`<p>${words.wouldLikeToWrite(name)}</p><form method="post"><button type="submit">${words.yesConfirm}</button></form>`,
        );
      },
    }),
    route({
      ...common,
      ...CONFIRM,
      id: 'confirmAddress',
      says: 'Confirms an address (double opt-in)',
      answers: {
        200: { says: 'Confirmed', type: 'text/html' },
        202: { says: 'Taken, and entered as soon as the database is back', type: 'text/html' },
        404: { says: 'No link of ours', type: 'text/html' },
        410: { says: 'Too old, or withdrawn since', type: 'text/html' },
      },
      async run(_input, call) {
        const found = spokenLink(sites, call, new URLSearchParams(call.querystring).get('lang'));
        if (!found) return lost(call);
        return pageOf(call, await confirm(confirmation(call, found.site.siteId, found.key, settings)));
      },
    }),
  ];
}

function confirmation(
  call: Call,
  siteId: string,
  token: string,
  { inactivityMinutes }: ConfirmNeeds['settings'],
): Confirmation {
  const agent = readUserAgent(call.client.userAgent);
  const from = askedBy(call);
  return {
    site_id: siteId,
    token,
    at: new Date().toISOString(),
    valid_days: CONFIRM_VALID_DAYS,
    inactivity: `${inactivityMinutes} minutes`,
    ...from,
    event: {
      ...from,
      event_type: 'email_verify',
      path: '/v1/confirm',
      source: 'email',
      is_conversion: false,
      device_type: agent.deviceType,
      browser: agent.browser ?? undefined,
      os: agent.os ?? undefined,
    },
  };
}

function lost(call: Call): Reply {
  const words = wordsOf(call.language);
  return page(call, 404, words.linkBroken, html`<p>${words.openAgain(CONFIRM_VALID_DAYS)}</p>`);
}

function pageOf(call: Call, outcome: Confirmed | 'journalled'): Reply {
  const words = wordsOf(call.language);
  switch (outcome) {
    case 'confirmed':
      return page(call, 200, words.thankYou, html`<p>${words.confirmed}</p>`);
    case 'journalled':
      return page(
        call,
        202,
        words.confirmationArrived,
        html`<p>${words.confirmationSafe}</p><p class="soft">${words.shouldItBeOld}</p>`,
      );
    case 'expired':
      return page(call, 410, words.linkTooOld, html`<p>${words.fillInAgain}</p>`);
    case 'unknown':
      return lost(call);
  }
}
