// The public door for leads: POST /v1/leads/capture, as JSON and as a plain HTML form.
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { readBody } from '../../ground/http/body.ts';
import type { IdentifyClient } from '../../ground/http/client.ts';
import { asAppError } from '../../ground/http/errors.ts';
import { ok, refusals } from '../../ground/http/openapi-parts.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { issuesOf } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { atTick } from '../../ground/lib/tick.ts';
import type { Ledger } from '../events/ledger.ts';
import { requestFacts } from '../events/routes.ts';
import { readUserAgent } from '../events/user-agent.ts';
import type { Site } from '../sites/queries.ts';
import type { Sites } from '../sites/recognise.ts';
import { type CaptureSettings, emailHash, makeCapture, pretendedCapture } from './capture.ts';
import type { JudgeChallenge } from './challenge.ts';
import { domainClass } from './domains.ts';
import type { CaptureLimits } from './limits.ts';
import { mendAddressPage, THANK_YOU, thankYouPage } from './pages.ts';
import { safeRedirect } from './redirect.ts';
import {
  type CaptureInput,
  capturedShape,
  captureInput,
  FORGIVEN,
  formInput,
  fromForm,
  warningsOf,
} from './schema.ts';
import { judgeFormToken, makeFormToken, SUSPICIOUS_FROM, spamScore } from './spam.ts';
import type { Leads } from './start.ts';

const CAPTURE_BYTES_MAX = 16 * 1024;

export interface LeadDoors {
  sites: Sites;
  ledger: Ledger;
  limits: RateLimits;
  identify: IdentifyClient;
  countryOf: (address: string) => string | null;
  captureLimits: CaptureLimits;
  judgeChallenge: JudgeChallenge;
  capture: Leads['capture'];
  settings: CaptureSettings;
}

/** The page a form was on: its Referer, or its Origin where the page keeps its path to itself. */
function pageOf(ctx: Context): string | undefined {
  return [ctx.get('referer'), ctx.get('origin')].find(
    (url) => url !== '' && url !== 'null' && URL.canParse(url),
  );
}

const isFormPost = (ctx: Context) =>
  Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));

export function leadRoutes(doors: LeadDoors): Router {
  const { sites, ledger, limits, identify, captureLimits, judgeChallenge, settings } = doors;
  const router = new Router();
  const secret = settings.pepper;

  /** A mistyped address is mended on a page that keeps the rest; counted here, since it ends here. */
  const pageForPeople: Middleware = async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      if (!isFormPost(ctx)) throw thrown;
      const error = asAppError(thrown);
      const site = sites.find(ctx.state.write?.siteId) ?? sites.fallback();
      const page = pageOf(ctx);
      if (page && site.origins.includes(new URL(page).origin)) ctx.state.pageBefore = page;
      if (!ctx.state.body || !error.issues?.some(({ path }) => path === 'email')) throw error; // http/errors.ts shows it
      ctx.state.errorCode = error.code;
      ledger.refuse({ siteId: site.siteId, route: 'capture', reason: error.code, issues: error.issues });
      const body = ctx.state.body as Record<string, unknown>;
      const wanted = [body.redirect, body.path].find((value) => typeof value === 'string' && value !== '');
      mendAddressPage(ctx, body, {
        propertyId: site.key,
        redirect: safeRedirect(wanted as string | undefined, site.origins, page),
        formTargets: site.origins,
      });
    }
  };

  function read(isForm: boolean, body: unknown): CaptureInput {
    if (!isForm) {
      const parsed = captureInput.safeParse(body);
      if (parsed.success) return parsed.data;
      throw refusedFor(parsed.error);
    }
    const fields = fromForm(body);
    const parsed = formInput.safeParse(fields);
    if (parsed.success) return parsed.data;
    for (const { path } of parsed.error.issues)
      if (FORGIVEN.has(String(path[0]))) delete fields[String(path[0])];
    const again = formInput.safeParse(fields);
    if (again.success) return again.data;
    throw refusedFor(again.error);
  }

  function thanks(
    ctx: Context,
    site: Site,
    input: { redirect?: string | undefined; path?: string | undefined },
  ): void {
    const page = pageOf(ctx);
    const target =
      safeRedirect(input.redirect, site.origins, page) ?? safeRedirect(input.path, site.origins, page);
    ctx.status = 303;
    ctx.set('Location', target ?? THANK_YOU);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = '<!doctype html><title>Thank you</title><p>Thank you.</p>';
  }

  router.post(
    '/v1/leads/capture',
    pageForPeople,
    async (ctx, next) => {
      ctx.state.receivedAt = new Date();
      ctx.state.began = performance.now();
      ctx.state.write = { route: 'capture', items: 1, siteId: undefined };
      await limits.take(ctx, 'capture');
      return next();
    },
    readBody({ bytesMax: CAPTURE_BYTES_MAX, form: true }),
    async (ctx) => {
      const { isForm, body, began, receivedAt } = ctx.state;
      const named = (body as { propertyId?: unknown } | null)?.propertyId;
      ctx.state.write.siteId = sites.list().find((site) => site.key === named)?.siteId;
      if (
        typeof body === 'object' &&
        body !== null &&
        typeof body.honeypot === 'string' &&
        body.honeypot.trim() !== ''
      ) {
        const site = sites.find(ctx.state.write.siteId) ?? (await sites.recognise(ctx, undefined));
        ledger.refuse({ siteId: site.siteId, route: 'capture', reason: 'honeypot' });
        ctx.state.write.items = 0;
        await atTick(began);
        if (isForm) thanks(ctx, site, fromForm(body) as { redirect?: string });
        else ctx.body = { ok: true, ...pretendedCapture(true) };
        return;
      }
      // the site first: a mistyped address on a form leads back to that site's own page
      const recognised = typeof named === 'string' ? null : await sites.recognise(ctx, undefined);
      ctx.state.write.siteId ??= recognised?.siteId;
      const input = read(isForm, body);
      const site = recognised ?? (await sites.recognise(ctx, input.propertyId));
      ctx.state.write.siteId = site.siteId;
      const client = identify(ctx);
      await captureLimits.take(site.siteId, client.address);

      const facts = requestFacts(ctx, site, doors);
      const { score, signs } = spamScore({
        formToken: judgeFormToken(secret, input.formToken, receivedAt.getTime()),
        challenge: await judgeChallenge(input.challengeToken, client.address),
        isDisposable: domainClass(input.email.domain) === 'disposable',
        isBotAgent: readUserAgent(client.userAgent).isBot,
        hasUserAgent: client.userAgent !== '',
        isPrefetch: facts.prefetch,
        tooManyForAddress: await captureLimits.tooManyFor(
          emailHash(secret, site.siteId, input.email.normalized),
        ),
        payload: input.payload,
      });
      const capture = makeCapture(
        input,
        site,
        facts,
        { receivedAt, page: pageOf(ctx), score, suspicions: score >= SUSPICIOUS_FROM ? signs : [] },
        settings,
      );
      const kept = await doors.capture(capture, ctx.state.requestId);
      const captured =
        kept === 'journalled'
          ? {
              leadId: capture.lead_id,
              visitorId: capture.event?.visitor_id ?? null,
              sessionId: null,
              heuristicLinksCreated: 0,
            }
          : kept;
      ctx.state.write.items = 0; // counted with what was stored
      await atTick(began);
      if (isForm) return thanks(ctx, site, input);
      const { leadId, visitorId, sessionId, heuristicLinksCreated } = captured;
      const warnings = warningsOf(input);
      ctx.body = {
        ok: true,
        leadId,
        visitorId,
        sessionId,
        heuristicLinksCreated,
        ...(warnings.length > 0 ? { warnings } : {}),
      };
    },
  );

  router.get(THANK_YOU, (ctx) => thankYouPage(ctx));

  router.get('/v1/leads/form-token', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { ok: true, formToken: makeFormToken(secret, Date.now()) };
  });

  return router;
}

function refusedFor(error: z.ZodError): AppError {
  const issues = issuesOf(error);
  return new AppError(
    'invalid_request',
    `Some fields are not as they should be: ${issues.map(({ path }) => path || 'the body').join(', ')}.`,
    { issues },
  );
}

const page = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });

export const leadPaths: ZodOpenApiPathsObject = {
  '/v1/leads/capture': {
    post: {
      summary: 'Takes a lead, from a script or from a plain HTML form; the answer leaves after the commit',
      requestBody: {
        content: {
          'application/json': { schema: captureInput },
          'application/x-www-form-urlencoded': {
            schema: formInput.describe(
              'the same fields flat: utm_source …, payload[x] or any other name, consent[text] …, redirect',
            ),
          },
        },
      },
      responses: {
        200: ok(capturedShape, 'Stored (JSON)'),
        303: {
          description:
            'Stored (form): on to the page the form names on its own site, or to our thank-you page',
        },
        400: page('A form whose address is mistyped: a page to mend it'),
        ...refusals,
      },
    },
  },
  '/v1/leads/thank-you': {
    get: { summary: 'Where a form without a page of its own ends', responses: { 200: page('Thanks') } },
  },
  '/v1/leads/form-token': {
    get: {
      summary: 'A signed time for the hidden field formToken: forms sent in haste are looked at first',
      responses: { 200: ok(z.object({ ok: z.literal(true), formToken: z.string() })) },
    },
  },
};
