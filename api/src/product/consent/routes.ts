// The doors of consent: unsubscribe by link and by address, the texts people agree to, and what we say about privacy.
import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody, readRawBody } from '../../ground/http/body.ts';
import type { IdentifyClient } from '../../ground/http/client.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { escapeHtml, sendPage } from '../../ground/http/page.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { atTick } from '../../ground/lib/tick.ts';
import { aboutWhom } from '../../operations/audit/audit.ts';
import type { Site } from '../sites/queries.ts';
import type { Sites } from '../sites/recognise.ts';
import { readLink } from './link.ts';
import { insertConsentText, listConsentTexts, type Withdrawal, type Withdrawn } from './queries.ts';

export interface ConsentDoors {
  db: Pool;
  sites: Sites;
  limits: RateLimits;
  identify: IdentifyClient;
  admin: Middleware;
  /** Withdraws now, or puts it into the journal while the database is away (outcome withdrawn then too). */
  withdraw: (request: Withdrawal) => Promise<Withdrawn>;
  hashAddress: (siteId: string, normalized: string) => string;
  /** Reads an address; null when it is none. */
  readAddress: (typed: string) => { normalized: string } | null;
  privacy: { contact: string | null; retention: Record<string, number> };
}

const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;
const BODY_BYTES_MAX = 4096;

const smallBody = async (ctx: Context): Promise<string> =>
  (await readRawBody(ctx, BODY_BYTES_MAX, 'Send nothing, or List-Unsubscribe=One-Click.')).toString('latin1');

const unsubscribeInput = z
  .object({
    email: z.string().trim().min(1).max(320),
    reason: z.string().trim().max(500).optional(),
    propertyId: z.string().trim().min(1).max(128).optional(),
  })
  .meta({ id: 'Unsubscribe' });

const textInput = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine((name) => !name.startsWith('form:'), 'must not begin with form:'),
    language: z.string().trim().min(2).max(35).default('en'),
    words: z.string().trim().min(1).max(8000).describe('exactly what people read beside the box'),
  })
  .meta({ id: 'NewConsentText' });

const textShape = z
  .object({
    textId: z.uuid(),
    name: z.string(),
    version: z.int(),
    language: z.string(),
    words: z.string(),
    wordsSha256: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ConsentText' });

export function consentRoutes(doors: ConsentDoors): Router {
  const { db, sites, limits, identify, admin, withdraw, hashAddress, readAddress, privacy } = doors;
  const router = new Router();

  const facts = (ctx: Context) => {
    const { ipHash, uaHash } = identify(ctx);
    return {
      request_id: randomUUID(),
      at: new Date().toISOString(),
      ip_hash: hex(ipHash),
      ua_hash: hex(uaHash),
      privacy_signal: ctx.get('sec-gpc') === '1' || ctx.get('dnt') === '1',
    };
  };

  const link = (ctx: Context): { site: Site; key: string } | null => {
    const read = readLink(ctx.params.token ?? '');
    const site = read && sites.find(read.siteId);
    return site ? { site, key: read.key } : null;
  };

  const lost = (ctx: Context) =>
    sendPage(
      ctx,
      404,
      'This link does not work',
      '<p>The address of this page is not complete. Open the link in the mail again, or copy all of it.</p>',
    );

  // Mail scanners open every link: looking writes nothing.
  router.get('/v1/unsubscribe/:token', (ctx) => {
    const found = link(ctx);
    if (!found) return lost(ctx);
    sendPage(
      ctx,
      200,
      'Unsubscribe',
      `<p>Press the button, and ${found.site.name ? escapeHtml(found.site.name) : 'we'} will send you no more mail.</p><form method="post"><button type="submit">Unsubscribe</button></form>`,
    );
  });

  router.post('/v1/unsubscribe/:token', async (ctx) => {
    const found = link(ctx);
    const body = await smallBody(ctx);
    if (!found) return lost(ctx);
    const { outcome } = await withdraw({
      ...facts(ctx),
      site_id: found.site.siteId,
      key: found.key,
      basis:
        body.includes('List-Unsubscribe=One-Click') || body.includes('One-Click')
          ? 'one_click'
          : 'unsubscribe_link',
    });
    if (outcome === 'unknown') return lost(ctx);
    sendPage(
      ctx,
      200,
      'You are unsubscribed',
      '<p>You will get no more mail from us. You can close this page.</p>',
    );
  });

  router.post(
    '/v1/leads/unsubscribe',
    async (ctx, next) => {
      ctx.state.began = performance.now();
      await limits.take(ctx, 'unsubscribe');
      return next();
    },
    readBody({ bytesMax: BODY_BYTES_MAX, form: true }),
    async (ctx) => {
      const input = validate(unsubscribeInput, ctx.state.body);
      const address = readAddress(input.email);
      if (!address) {
        throw new AppError('invalid_request', 'This is not an email address.', {
          issues: [{ path: 'email', message: 'an address such as ada@example.com' }],
        });
      }
      const site = await sites.recognise(ctx, input.propertyId);
      await withdraw({
        ...facts(ctx),
        site_id: site.siteId,
        email_normalized: address.normalized,
        email_hash: hashAddress(site.siteId, address.normalized),
        basis: 'unsubscribe_request',
        reason: input.reason || undefined,
      });
      await atTick(ctx.state.began); // known or not: the same words after the same time
      if (ctx.state.isForm)
        sendPage(ctx, 200, 'Done', '<p>If we have this address, it will get no more mail from us.</p>');
      else ctx.body = { ok: true };
    },
  );

  router.get('/v1/privacy', async (ctx) => {
    const site = await sites.recognise(
      ctx,
      typeof ctx.query.propertyId === 'string' ? ctx.query.propertyId : undefined,
    );
    const { policyVersion, policyUrl } = site.settings;
    ctx.body = {
      ok: true,
      contact: privacy.contact,
      policyVersion: typeof policyVersion === 'string' ? policyVersion : null,
      policyUrl: typeof policyUrl === 'string' ? policyUrl : null,
      retention: privacy.retention,
      addresses: 'hashed',
      signalsHonoured: ['GPC', 'DNT'],
    };
  });

  const siteOf = (ctx: Context): Site => {
    const site = sites.find(ctx.params.siteId ?? '');
    if (!site) throw new AppError('not_found', 'There is no site with this id.');
    aboutWhom(ctx, { siteId: site.siteId });
    return site;
  };
  router.get('/v1/sites/:siteId/consent-texts', admin, async (ctx) => {
    const { siteId } = siteOf(ctx);
    ctx.body = { ok: true, texts: await inSites(db, siteId, (client) => listConsentTexts(client, siteId)) };
  });
  router.post('/v1/sites/:siteId/consent-texts', admin, readBody({ bytesMax: 32 * 1024 }), async (ctx) => {
    const { siteId } = siteOf(ctx);
    const text = validate(textInput, ctx.state.body);
    const published = await inSites(db, siteId, (client) => insertConsentText(client, siteId, text));
    aboutWhom(ctx, { target: published.textId });
    ctx.status = 201;
    ctx.body = { ok: true, text: published };
  });
  return router;
}

const page = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });
const token = { path: z.object({ token: z.string().describe('from the link in a mail') }) };
const siteId = { path: z.object({ siteId: z.uuid() }) };

export const consentPaths: ZodOpenApiPathsObject = {
  '/v1/unsubscribe/{token}': {
    get: {
      summary: 'A page with one button; writes nothing',
      requestParams: token,
      responses: { 200: page('The page'), 404: page('No link of ours') },
    },
    post: {
      summary: 'Withdraws at once; also RFC 8058 one-click',
      requestParams: token,
      requestBody: {
        content: {
          'application/x-www-form-urlencoded': {
            schema: z.object({ 'List-Unsubscribe': z.string().optional() }),
          },
        },
      },
      responses: { 200: page('Withdrawn'), 404: page('No link of ours') },
    },
  },
  '/v1/leads/unsubscribe': {
    post: {
      summary: 'Withdraws by address; the answer does not tell whether it is known',
      requestBody: {
        content: {
          'application/json': { schema: unsubscribeInput },
          'application/x-www-form-urlencoded': { schema: unsubscribeInput },
        },
      },
      responses: { 200: ok(z.object({ ok: z.literal(true) })), ...refusals },
    },
  },
  '/v1/privacy': {
    get: {
      summary: 'Whom to ask about one’s data, how long what is kept, which policy is in force',
      requestParams: { query: z.object({ propertyId: z.string().optional() }) },
      responses: {
        200: ok(
          z.object({
            ok: z.literal(true),
            contact: z.string().nullable(),
            policyVersion: z.string().nullable(),
            policyUrl: z.string().nullable(),
            retention: z.record(z.string(), z.number()),
            addresses: z.literal('hashed'),
            signalsHonoured: z.array(z.string()),
          }),
        ),
        ...refusals,
      },
    },
  },
  '/v1/sites/{siteId}/consent-texts': {
    get: {
      ...adminDoor,
      summary: 'The published texts of a site, every version',
      requestParams: siteId,
      responses: { 200: ok(z.object({ ok: z.literal(true), texts: z.array(textShape) })), ...refusals },
    },
    post: {
      ...adminDoor,
      summary: 'Publishes a text; the same name and language again is the next version',
      requestParams: siteId,
      requestBody: jsonBody(textInput),
      responses: { 201: ok(z.object({ ok: z.literal(true), text: textShape })), ...refusals },
    },
  },
};
