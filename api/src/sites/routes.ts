// The admin's door to sites: POST, GET /v1/sites and GET, PATCH /v1/sites/{siteId}.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../db/pool.ts';
import { readBody } from '../http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../http/openapi-parts.ts';
import { validate } from '../http/validate.ts';
import { AppError } from '../lib/app-error.ts';
import { insertSite, type Site, updateSite } from './queries.ts';
import type { Sites } from './recognise.ts';
import { newSite, sitePatch, siteShape } from './schema.ts';

const UNIQUE_VIOLATION = '23505';
const BODY_BYTES_MAX = 32 * 1024;

export function siteRoutes({ db, sites, admin }: { db: Pool; sites: Sites; admin: Middleware }): Router {
  const router = new Router();
  const body = readBody({ bytesMax: BODY_BYTES_MAX });

  router.get('/v1/sites', admin, async (ctx) => {
    await sites.reload();
    ctx.body = { ok: true, sites: sites.list() };
  });

  router.post('/v1/sites', admin, body, async (ctx) => {
    const site = await unlessTaken(insertSite(db, validate(newSite, ctx.state.body)));
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
    const site = existing(await unlessTaken(updateSite(db, ctx.params.siteId!, patch)));
    await sites.reload();
    ctx.body = { ok: true, site };
  });

  return router;
}

function existing(site: Site | null | undefined): Site {
  if (!site) throw new AppError('not_found', 'There is no site with this id.');
  return site;
}

async function unlessTaken<T>(write: Promise<T>): Promise<T> {
  return write.catch((error: { code?: string }) => {
    if (error.code === UNIQUE_VIOLATION)
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
      summary: 'Makes a site',
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
      summary: 'Changes a site',
      requestParams: { path: z.object(siteId) },
      requestBody: jsonBody(sitePatch),
      responses: { 200: one, ...refusals },
    },
  },
};
