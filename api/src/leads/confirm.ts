// The second step of a double opt-in: GET /v1/confirm/{token} shows a button, POST confirms.
import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { readLink } from '../consent/link.ts';
import { recordConsent } from '../consent/queries.ts';
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { type ArrivedEvent, uuidv7 } from '../events/enrich.ts';
import { ingestEvents } from '../events/queries.ts';
import { readUserAgent } from '../events/user-agent.ts';
import type { IdentifyClient } from '../http/client.ts';
import { escapeHtml, sendPage } from '../http/page.ts';
import type { Sites } from '../sites/recognise.ts';
import { withRetries } from './queries.ts';

const VALID_DAYS = 14;

export interface ConfirmDoors {
  db: Pool;
  sites: Sites;
  identify: IdentifyClient;
  settings: { inactivityMinutes: number };
}

type Outcome = 'confirmed' | 'expired' | 'unknown';

export function confirmRoutes({ db, sites, identify, settings }: ConfirmDoors): Router {
  const router = new Router();

  async function confirm(ctx: Context, siteId: string, token: string): Promise<Outcome> {
    const client = identify(ctx);
    const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;
    const privacySignal = ctx.get('sec-gpc') === '1' || ctx.get('dnt') === '1';
    const now = new Date();
    return withRetries(db, () =>
      inSites(db, siteId, async (tx) => {
        const [asked] = (
          await tx.query<{
            opt_in_id: string;
            lead_id: string;
            confirmed_at: Date | null;
            cancelled_at: Date | null;
            requested_at: Date;
            request: Record<string, unknown>;
            first_visitor_id: string | null;
          }>(
            'select o.*, l.first_visitor_id from opt_ins o join leads l using (site_id, lead_id) where o.site_id = $1 and o.token = $2',
            [siteId, token],
          )
        ).rows;
        if (!asked) return 'unknown';
        if (asked.confirmed_at) return 'confirmed';
        if (asked.cancelled_at || now.getTime() - asked.requested_at.getTime() > VALID_DAYS * 86_400_000)
          return 'expired';
        if (asked.first_visitor_id) {
          const agent = readUserAgent(client.userAgent);
          const event: ArrivedEvent = {
            site_id: siteId,
            event_id: uuidv7(),
            visitor_id: asked.first_visitor_id,
            event_type: 'email_verify',
            path: '/v1/confirm',
            source: 'email',
            privacy_signal: privacySignal,
            is_conversion: false,
            ip_hash: hex(client.ipHash),
            ua_hash: hex(client.uaHash),
            device_type: agent.deviceType,
            browser: agent.browser ?? undefined,
            os: agent.os ?? undefined,
          };
          // before the lead: tables are taken in the order of ingest_events
          await ingestEvents(tx, [event], new Map(), settings.inactivityMinutes);
        }
        // the first of two clicks confirms
        const { rowCount } = await tx.query(
          'update opt_ins set confirmed_at = $3 where site_id = $1 and opt_in_id = $2 and confirmed_at is null and cancelled_at is null',
          [siteId, asked.opt_in_id, now],
        );
        if (!rowCount) return 'confirmed';
        await recordConsent(tx, siteId, asked.lead_id, {
          ...asked.request,
          status: 'express',
          basis: 'double_opt_in',
          occurred_at: now.toISOString(),
          ip_hash: hex(client.ipHash),
          ua_hash: hex(client.uaHash),
          privacy_signal: privacySignal,
        });
        await tx.query(
          'update leads set verified_at = coalesce(verified_at, $3) where site_id = $1 and lead_id = $2',
          [siteId, asked.lead_id, now],
        );
        await tx.query(
          "insert into dirty_days (site_id, day, cause) select site_id, (first_captured_at at time zone 'UTC')::date, 'verified' from leads where site_id = $1 and lead_id = $2",
          [siteId, asked.lead_id],
        );
        return 'confirmed';
      }),
    );
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
      '<p>Open the link in the mail again, or copy all of it. It works for 14 days.</p>',
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
    const outcome = found ? await confirm(ctx, found.site.siteId, found.token) : 'unknown';
    if (outcome === 'confirmed')
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
        404: page('No link of ours'),
        410: page('Too old, or withdrawn since'),
      },
    },
  },
};
