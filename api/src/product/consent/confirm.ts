// The second step of a double opt-in: GET /v1/confirm/{token} shows a button, POST confirms.
import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { IdentifyClient } from '../../ground/http/client.ts';
import { escapeHtml, sendPage } from '../../ground/http/page.ts';
import { readUserAgent } from '../events/user-agent.ts';
import type { Sites } from '../sites/recognise.ts';
import { readLink } from './link.ts';
import { CONFIRM_VALID_DAYS, type Confirmation, type Confirmed } from './opt-in.ts';

export interface ConfirmDoors {
  sites: Sites;
  identify: IdentifyClient;
  settings: { inactivityMinutes: number };
  /** Confirms now, or puts it into the journal while the database is away: then nobody knows yet what the link is worth. */
  confirm: (request: Confirmation) => Promise<Confirmed | 'journalled'>;
}

const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

export function confirmRoutes({ sites, identify, settings, confirm }: ConfirmDoors): Router {
  const router = new Router();

  function confirmation(ctx: Context, siteId: string, token: string): Confirmation {
    const { ipHash, uaHash, userAgent } = identify(ctx);
    const agent = readUserAgent(userAgent);
    const from = {
      ip_hash: hex(ipHash),
      ua_hash: hex(uaHash),
      privacy_signal: ctx.get('sec-gpc') === '1' || ctx.get('dnt') === '1',
    };
    return {
      site_id: siteId,
      token,
      at: new Date().toISOString(),
      valid_days: CONFIRM_VALID_DAYS,
      inactivity: `${settings.inactivityMinutes} minutes`,
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

  const read = (ctx: Context) => {
    const link = readLink(ctx.params.token ?? '');
    const site = link && sites.find(link.siteId);
    return site ? { site, token: link.key } : null;
  };
  const lost = (ctx: Context) =>
    sendPage(
      ctx,
      404,
      'This link does not work',
      `<p>Open the link in the mail again, or copy all of it. It works for ${CONFIRM_VALID_DAYS} days.</p>`,
    );

  router.get('/v1/confirm/:token', (ctx) => {
    const found = read(ctx);
    if (!found) return lost(ctx);
    sendPage(
      ctx,
      200,
      'Confirm your address',
      `<p>${escapeHtml(found.site.name || found.site.key)} would like to write to you at the address this mail came to.</p><form method="post"><button type="submit">Yes, confirm</button></form>`,
    );
  });
  router.post('/v1/confirm/:token', async (ctx) => {
    const found = read(ctx);
    ctx.req.resume();
    const outcome = found ? await confirm(confirmation(ctx, found.site.siteId, found.token)) : 'unknown';
    if (outcome === 'journalled')
      sendPage(
        ctx,
        202,
        'Your confirmation has arrived',
        '<p>We have it safe, and enter it within minutes: a part of our service is away just now. You need do nothing more, and can close this page.</p><p class="soft">Should the link have been too old, you can fill in the form again.</p>',
      );
    else if (outcome === 'confirmed')
      sendPage(ctx, 200, 'Thank you', '<p>Your address is confirmed. You can close this page.</p>');
    else if (outcome === 'expired')
      sendPage(ctx, 410, 'This link is too old', '<p>Fill in the form again, and we send you a new one.</p>');
    else lost(ctx);
  });
  return router;
}

const page = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });
const token = { path: z.object({ token: z.string().describe('from the link in a mail') }) };
export const confirmPaths: ZodOpenApiPathsObject = {
  '/v1/confirm/{token}': {
    get: {
      summary: 'A page with one button; writes nothing',
      requestParams: token,
      responses: { 200: page('The page'), 404: page('No link of ours') },
    },
    post: {
      summary: 'Confirms an address (double opt-in)',
      requestParams: token,
      responses: {
        200: page('Confirmed'),
        202: page('Taken, and entered as soon as the database is back'),
        404: page('No link of ours'),
        410: page('Too old, or withdrawn since'),
      },
    },
  },
};
