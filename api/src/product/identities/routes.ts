// The admin's door to identities: a visitor is a lead, or after all is not.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody } from '../../ground/http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { aboutWhom, siteOf } from '../../operations/audit/audit.ts';
import { email } from '../captures/schema.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { anonId, propertyId } from '../events/schema.ts';
import { findLeadByAddress } from '../leads/listing.ts';
import type { Sites } from '../sites/recognise.ts';
import { mergeIdentity, unmergeIdentity } from './links.ts';

const linkInput = z
  .object({
    leadId: z.uuid().optional(),
    email: email.optional(),
    visitorId: z.uuid().optional(),
    anonId: anonId.optional(),
    propertyId: propertyId.optional(),
  })
  .refine((value) => (value.leadId === undefined) !== (value.email === undefined), {
    path: ['leadId'],
    message: 'either leadId or email',
  })
  .refine((value) => (value.visitorId === undefined) !== (value.anonId === undefined), {
    path: ['visitorId'],
    message: 'either visitorId or anonId',
  })
  .meta({ id: 'IdentityLink' });

export function identityRoutes({ db, sites, admin }: { db: Pool; sites: Sites; admin: Middleware }): Router {
  const router = new Router();
  const body = readBody({ bytesMax: 16 * 1024 });
  for (const verb of ['merge', 'unmerge'] as const) {
    router.post(`/v1/identities/${verb}`, admin, body, async (ctx) => {
      const input = validate(linkInput, ctx.state.body);
      const site = await siteOf(ctx, sites, input.propertyId);
      const { siteId } = site;
      const visitorId = input.visitorId ?? visitorIdOf(siteId, input.anonId!);
      const result = await inSites(db, siteId, async (client) => {
        const leadId =
          input.leadId ?? (await findLeadByAddress(client, siteId, input.email!.normalized))?.leadId;
        if (!leadId) return null;
        aboutWhom(ctx, { target: leadId, details: { visitorId } });
        if (verb === 'merge') return mergeIdentity(client, siteId, leadId, visitorId);
        return (await unmergeIdentity(client, siteId, leadId, visitorId)) ? { unlinked: true } : null;
      });
      if (!result)
        throw new AppError(
          'not_found',
          verb === 'merge'
            ? 'This site has no such lead or visitor.'
            : 'There is no manual link between these two.',
        );
      ctx.body = { ok: true, ...result };
    });
  }
  return router;
}

const linked = z.object({ ok: z.literal(true) }).loose();

export const identityPaths: ZodOpenApiPathsObject = {
  '/v1/identities/merge': {
    post: {
      ...adminDoor,
      summary: 'Says that a visitor is a lead',
      requestBody: jsonBody(linkInput),
      responses: { 200: ok(linked), ...refusals },
    },
  },
  '/v1/identities/unmerge': {
    post: {
      ...adminDoor,
      summary: 'Takes that back; everything is as before',
      requestBody: jsonBody(linkInput),
      responses: { 200: ok(linked), ...refusals },
    },
  },
};
