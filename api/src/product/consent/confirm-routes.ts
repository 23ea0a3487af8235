// The second step of a double opt-in: GET /v1/confirm/{token} shows a button, POST confirms.
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { readUserAgent } from '../events/user-agent.ts';
import { askedBy } from './asked-by.ts';
import { linkedSite } from './link.ts';
import { CONFIRM_VALID_DAYS, type Confirmation, type Confirmed } from './opt-in.ts';

export interface ConfirmNeeds {
  sites: Pick<SiteDirectory, 'find'>;
  settings: { inactivityMinutes: number };
  /** Confirms now, or puts it into the journal while the database is away: then nobody knows yet what the link is worth. */
  confirm: (request: Confirmation) => Promise<Confirmed | 'journalled'>;
}

const SHOW_CONFIRM = { at: 'GET /v1/confirm/:token', tells: 'link' } as const;
const CONFIRM = { at: 'POST /v1/confirm/:token', tells: 'link' } as const;
export const confirmTells = [SHOW_CONFIRM, CONFIRM];

export function confirmRoutes({ sites, settings, confirm }: ConfirmNeeds): Route[] {
  const common = { tag: 'consent', who: 'anyone' } as const;
  return [
    route({
      ...common,
      ...SHOW_CONFIRM,
      id: 'showConfirm',
      says: 'A page with one button; writes nothing',
      answers: {
        200: { says: 'The page', type: 'text/html' },
        404: { says: 'No link of ours', type: 'text/html' },
      },
      run(_input, call) {
        const found = linkedSite(sites, call.params.token!);
        if (!found) return lost();
        return page(
          200,
          'Confirm your address',
          html`<p>${found.site.name || found.site.key} would like to write to you at the address this mail came to.</p><form method="post"><button type="submit">Yes, confirm</button></form>`,
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
        const found = linkedSite(sites, call.params.token!);
        if (!found) return lost();
        return pageOf(await confirm(confirmation(call, found.site.siteId, found.key, settings)));
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

const lost = (): Reply =>
  page(
    404,
    'This link does not work',
    html`<p>Open the link in the mail again, or copy all of it. It works for ${CONFIRM_VALID_DAYS} days.</p>`,
  );

function pageOf(outcome: Confirmed | 'journalled'): Reply {
  switch (outcome) {
    case 'confirmed':
      return page(200, 'Thank you', html`<p>Your address is confirmed. You can close this page.</p>`);
    case 'journalled':
      return page(
        202,
        'Your confirmation has arrived',
        html`<p>We have it safe, and enter it within minutes: a part of our service is away just now. You need do nothing more, and can close this page.</p><p class="soft">Should the link have been too old, you can fill in the form again.</p>`,
      );
    case 'expired':
      return page(
        410,
        'This link is too old',
        html`<p>Fill in the form again, and we send you a new one.</p>`,
      );
    case 'unknown':
      return lost();
  }
}
