// The admin's door to sites: POST, GET /v1/sites and GET, PATCH /v1/sites/{siteId}.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { transaction } from '../../ground/db/transaction.ts';
import { readBody } from '../../ground/http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { aboutWhom } from '../../operations/audit/audit.ts';
import { insertSite, lockSite, type Site, updateSite } from './queries.ts';
import type { Sites } from './recognise.ts';
import { newSite, sitePatch, siteShape } from './schema.ts';
import { type MailFacts, optInFaults } from './settings.ts';

const BODY_BYTES_MAX = 32 * 1024;

export interface SiteDoors {
  db: Pool;
  sites: Sites;
  admin: Middleware;
  mail: MailFacts;
}

export function siteRoutes({ db, sites, admin, mail }: SiteDoors): Router {
  const router = new Router();
  const body = readBody({ bytesMax: BODY_BYTES_MAX });

  router.get('/v1/sites', admin, async (ctx) => {
    await sites.reload();
    ctx.body = { ok: true, sites: sites.list() };
  });

  router.post('/v1/sites', admin, body, async (ctx) => {
    const wanted = validate(newSite, ctx.state.body);
    const site = await unlessTaken(
      transaction(db, async (tx) => possible(await insertSite(tx, wanted), null, mail)),
    );
    aboutWhom(ctx, { siteId: site.siteId, target: site.siteId });
    await sites.reload();
    ctx.status = 201;
    ctx.body = { ok: true, site };
  });

  router.get('/v1/sites/:siteId', admin, async (ctx) => {
    await sites.reload();
    ctx.body = { ok: true, site: existing(sites.find(ctx.params.siteId!)) };
  });

  router.patch('/v1/sites/:siteId', admin, body, async (ctx) => {
    const patch = validate(sitePatch, ctx.state.body);
    if (!z.uuid().safeParse(ctx.params.siteId).success) existing(null);
    const site = await unlessTaken(
      transaction(db, async (tx) => {
        const before = existing(await lockSite(tx, ctx.params.siteId!));
        const changes = [
          ...Object.keys(patch),
          ...Object.keys(patch.settings ?? {}).map((name) => `settings.${name}`),
        ];
        aboutWhom(ctx, { siteId: before.siteId, target: before.siteId, details: { changes } });
        const site = existing(await updateSite(tx, before.siteId, patch));
        return possible(site, before, mail);
      }),
    );
    await sites.reload();
    ctx.body = { ok: true, site };
  });

  return router;
}

function existing(site: Site | null | undefined): Site {
  if (!site) throw new AppError('not_found', 'There is no site with this id.');
  return site;
}

/** throws invalid_request when double opt-in could not work with these settings; nothing is changed then */
function possible(site: Site, before: Site | null, mail: MailFacts): Site {
  const issues = optInFaults(site, before, mail);
  if (issues.length === 0) return site;
  throw new AppError(
    'invalid_request',
    `Double opt-in cannot work like this: ${issues.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    { issues },
  );
}

async function unlessTaken<T>(write: Promise<T>): Promise<T> {
  return write.catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new AppError('conflict', 'Another site has this key.', {
        issues: [{ path: 'key', message: 'is taken' }],
      });
    throw error;
  });
}

const siteId = { siteId: z.uuid() };
const one = ok(z.object({ ok: z.literal(true), site: siteShape }));

export const sitePaths: ZodOpenApiPathsObject = {
  '/v1/sites': {
    get: {
      ...adminDoor,
      summary: 'Lists the sites',
      responses: { 200: ok(z.object({ ok: z.literal(true), sites: z.array(siteShape) })), ...refusals },
    },
    post: {
      ...adminDoor,
      summary: 'Makes a site; 400 invalid_request when double opt-in is on and could not work',
      requestBody: jsonBody(newSite),
      responses: { 201: one, ...refusals },
    },
  },
  '/v1/sites/{siteId}': {
    get: {
      ...adminDoor,
      summary: 'Shows a site',
      requestParams: { path: z.object(siteId) },
      responses: { 200: one, ...refusals },
    },
    patch: {
      ...adminDoor,
      summary: 'Changes a site; 400 invalid_request when double opt-in would be on and could not work',
      requestParams: { path: z.object(siteId) },
      requestBody: jsonBody(sitePatch),
      responses: { 200: one, ...refusals },
    },
  },
};
