// What a person may ask for, done by an admin: everything held about an address, and its erasure.
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody } from '../../ground/http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { aboutWhom, siteOf } from '../../operations/audit/audit.ts';
import type { Journal } from '../captures/journal.ts';
import { listQuarantinedOf } from '../captures/quarantine.ts';
import { email } from '../captures/schema.ts';
import { propertyId } from '../events/schema.ts';
import { findLeadByAddress, listConversions, listMails, timelineOf } from '../leads/listing.ts';
import type { Sites } from '../sites/recognise.ts';
import { forget } from './forget.ts';

const SUBJECT_EVENTS_MAX = 100_000;

export interface SubjectDoors {
  db: Pool;
  sites: Sites;
  limits: RateLimits;
  admin: Middleware;
  hashAddress: (siteId: string, normalized: string) => string;
  forgetJournal: string;
  journal: Journal;
}

const subjectInput = z.object({ email, propertyId: propertyId.optional() }).meta({ id: 'Subject' });

export function subjectRoutes(doors: SubjectDoors): Router {
  const { db, sites, limits, admin, hashAddress, forgetJournal, journal } = doors;
  const router = new Router();
  const body = readBody({ bytesMax: 16 * 1024 });
  const unknown = () => new AppError('not_found', 'There is nothing about this address.');

  router.post('/v1/leads/delete', admin, body, async (ctx) => {
    await limits.take(ctx, 'delete');
    const input = validate(subjectInput, ctx.state.body);
    const site = await siteOf(ctx, sites, input.propertyId);
    const emailHash = hashAddress(site.siteId, input.email.normalized);
    const { found, erased } = await forget(
      db,
      { siteId: site.siteId, emailNormalized: input.email.normalized, emailHash },
      forgetJournal,
    );
    const failed = await journal.forgetFailed(
      ({ body: entry }) =>
        (entry as { email_normalized?: string } | null)?.email_normalized === input.email.normalized,
    );
    if (failed > 0) erased.journal = failed;
    aboutWhom(ctx, { details: { erased } });
    if (!found && failed === 0) throw unknown();
    ctx.body = { ok: true, deleted: true, erased };
  });

  router.post('/v1/leads/export-subject', admin, body, async (ctx) => {
    const input = validate(subjectInput, ctx.state.body);
    const site = await siteOf(ctx, sites, input.propertyId);
    const subject = await inSites(db, site.siteId, async (client) => {
      const lead = await findLeadByAddress(client, site.siteId, input.email.normalized);
      const quarantined = await listQuarantinedOf(client, site.siteId, input.email.normalized);
      if (!lead) {
        const emailHash = hashAddress(site.siteId, input.email.normalized);
        const conversions = await listConversions(client, site.siteId, { emailHash });
        return quarantined.length + conversions.length > 0 ? { lead: null, quarantined, conversions } : null;
      }
      const mails = await listMails(client, site.siteId, lead.leadId);
      return { lead, ...(await timelineOf(client, lead, SUBJECT_EVENTS_MAX)), mails, quarantined };
    });
    if (!subject) throw unknown();
    aboutWhom(ctx, { target: subject.lead?.leadId ?? null });
    ctx.body = {
      ok: true,
      site: { siteId: site.siteId, key: site.key, name: site.name },
      generatedAt: new Date().toISOString(),
      subject,
    };
  });

  return router;
}

export const subjectPaths: ZodOpenApiPathsObject = {
  '/v1/leads/delete': {
    post: {
      ...adminDoor,
      summary: 'Forgets everything about an address on a site',
      requestBody: jsonBody(subjectInput),
      responses: {
        200: ok(
          z.object({
            ok: z.literal(true),
            deleted: z.literal(true),
            erased: z.record(z.string(), z.int()).describe('rows per table'),
          }),
          'Forgotten',
        ),
        ...refusals,
      },
    },
  },
  '/v1/leads/export-subject': {
    post: {
      ...adminDoor,
      summary: 'Everything held about an address',
      requestBody: jsonBody(subjectInput),
      responses: {
        200: ok(z.object({ ok: z.literal(true), subject: z.object({}).loose() }).loose()),
        ...refusals,
      },
    },
  },
};
