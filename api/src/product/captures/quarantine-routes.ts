// The admin's door to what waits in quarantine: list, release, drop.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { onlyIds } from '../../ground/http/ids.ts';
import { adminDoor, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { aboutWhom, siteOf } from '../../operations/audit/audit.ts';
import { propertyId } from '../events/schema.ts';
import type { Sites } from '../sites/recognise.ts';
import { decideQuarantined, listQuarantined } from './quarantine.ts';

const listQuery = z.object({
  propertyId: propertyId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.uuid().optional(),
});

export function quarantineRoutes({
  db,
  sites,
  admin,
}: {
  db: Pool;
  sites: Sites;
  admin: Middleware;
}): Router {
  const router = new Router();
  router.get('/v1/admin/quarantine', admin, async (ctx) => {
    const query = validate(listQuery, { ...ctx.query });
    const siteIds = query.propertyId ? [(await siteOf(ctx, sites, query.propertyId)).siteId] : sites.ids();
    ctx.body = {
      ok: true,
      quarantined: await inSites(db, siteIds, (client) =>
        listQuarantined(client, query.before ?? null, query.limit),
      ),
    };
  });
  for (const decision of ['release', 'drop'] as const) {
    router.post(
      `/v1/admin/quarantine/:quarantineId/${decision}`,
      onlyIds('quarantineId'),
      admin,
      async (ctx) => {
        const done = await decideQuarantined(db, sites.ids(), ctx.params.quarantineId!, decision);
        aboutWhom(ctx, { target: ctx.params.quarantineId!, ...(done ? { siteId: done.siteId } : {}) });
        if (!done) throw new AppError('not_found', 'Nothing with this id waits in quarantine.');
        ctx.body = { ok: true, ...(done.leadId ? { leadId: done.leadId } : {}) };
      },
    );
  }

  return router;
}

const quarantineId = { path: z.object({ quarantineId: z.uuid() }) };
const decided = z.object({ ok: z.literal(true) }).loose();

export const quarantinePaths: ZodOpenApiPathsObject = {
  '/v1/admin/quarantine': {
    get: {
      ...adminDoor,
      summary: 'Suspicious submissions that wait for a decision, newest first',
      requestParams: { query: listQuery },
      responses: {
        200: ok(z.object({ ok: z.literal(true), quarantined: z.array(z.object({}).loose()) })),
        ...refusals,
      },
    },
  },
  '/v1/admin/quarantine/{quarantineId}/release': {
    post: {
      ...adminDoor,
      summary: 'Takes it as a lead after all',
      requestParams: quarantineId,
      responses: { 200: ok(decided), ...refusals },
    },
  },
  '/v1/admin/quarantine/{quarantineId}/drop': {
    post: {
      ...adminDoor,
      summary: 'Forgets it',
      requestParams: quarantineId,
      responses: { 200: ok(decided), ...refusals },
    },
  },
};
