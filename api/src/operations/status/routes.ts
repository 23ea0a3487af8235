// The operator's door: GET /v1/admin/status.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { adminDoor, ok, refusals } from '../../ground/http/openapi-parts.ts';
import type { Status } from './status.ts';

export function adminRoutes({ admin, status }: { admin: Middleware; status: () => Promise<Status> }): Router {
  const router = new Router();
  router.get('/v1/admin/status', admin, async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { ok: true, ...(await status()) };
  });
  return router;
}

export const adminPaths: ZodOpenApiPathsObject = {
  '/v1/admin/status': {
    get: {
      ...adminDoor,
      summary: 'Everything at a glance: versions, database, jobs, backups, disk, memory, ledger, alarms',
      responses: { 200: ok(z.looseObject({ ok: z.literal(true), version: z.string() })), ...refusals },
    },
  },
};
