// The register of breaches, and the audit log to read: /v1/admin/breaches, /v1/admin/audit-log.
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody } from '../../ground/http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import { aboutWhom, NO_SITE } from '../../operations/audit/audit.ts';
import { propertyId } from '../events/schema.ts';
import type { Sites } from '../sites/recognise.ts';

const instant = z.iso.datetime({ offset: true });
const words = z.string().trim().min(1).max(10_000);
const fields = {
  description: words,
  happenedAt: instant.nullable().optional(),
  affectedCount: z.int().min(0).nullable().optional().describe('people; how many, never who'),
  dataKinds: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
  harm: words.nullable().optional().describe('what it may do to people, and why you think so'),
  measures: words.nullable().optional(),
  authorityToldAt: instant.nullable().optional(),
  peopleToldAt: instant.nullable().optional(),
  closedAt: instant.nullable().optional(),
};
const newBreach = z
  .object({
    propertyId: propertyId.optional(),
    title: z.string().trim().min(1).max(255),
    discoveredAt: instant,
    ...fields,
  })
  .meta({ id: 'NewBreach' });
const breachPatch = z
  .object({
    title: z.string().trim().min(1).max(255).optional(),
    discoveredAt: instant.optional(),
    ...fields,
    description: words.optional(),
  })
  .meta({ id: 'BreachPatch' });

const COLUMNS: Record<string, string> = {
  title: 'title',
  description: 'description',
  discoveredAt: 'discovered_at',
  happenedAt: 'happened_at',
  affectedCount: 'affected_count',
  dataKinds: 'data_kinds',
  harm: 'harm',
  measures: 'measures',
  authorityToldAt: 'authority_told_at',
  peopleToldAt: 'people_told_at',
  closedAt: 'closed_at',
};
const AS_BREACH = `breach_id as "breachId", site_id as "siteId", ${Object.entries(COLUMNS)
  .map(([name, column]) => `${column.endsWith('_at') ? `instant_text(${column})` : column} as "${name}"`)
  .join(', ')}, instant_text(created_at) as "createdAt", instant_text(updated_at) as "updatedAt"`;

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.uuid().optional().describe('the last id of the page before'),
});

export function recordRoutes({ db, sites, admin }: { db: Pool; sites: Sites; admin: Middleware }): Router {
  const router = new Router();
  const body = readBody({ bytesMax: 64 * 1024 });
  const missing = () => new AppError('not_found', 'There is no breach with this id.');

  router.get('/v1/admin/breaches', admin, async (ctx) => {
    const breaches = await inSites(
      db,
      sites.ids(),
      async (client) =>
        (await client.query(`select ${AS_BREACH} from breaches order by discovered_at desc, breach_id`)).rows,
    );
    ctx.body = { ok: true, breaches };
  });

  router.post('/v1/admin/breaches', admin, body, async (ctx) => {
    const { propertyId: key, ...breach } = validate(newBreach, ctx.state.body);
    const { siteId } = await sites.recognise(ctx, key);
    const given = Object.entries(breach).filter(([, value]) => value !== undefined && value !== null);
    const [made] = await inSites(
      db,
      siteId,
      async (client) =>
        (
          await client.query(
            `insert into breaches (site_id, ${given.map(([name]) => COLUMNS[name]).join(', ')})
         values ($1, ${given.map((_, i) => `$${i + 2}`).join(', ')}) returning ${AS_BREACH}`,
            [siteId, ...given.map(([, value]) => value)],
          )
        ).rows,
    );
    aboutWhom(ctx, { siteId, target: made.breachId });
    ctx.status = 201;
    ctx.body = { ok: true, breach: made };
  });

  router.patch('/v1/admin/breaches/:breachId', admin, body, async (ctx: Context) => {
    if (!isUuid(ctx.params.breachId)) throw missing();
    const given = Object.entries(validate(breachPatch, ctx.state.body)).filter(
      ([, value]) => value !== undefined,
    );
    const [changed] = await inSites(
      db,
      sites.ids(),
      async (client) =>
        (
          await client.query(
            `update breaches set updated_at = now()${given.map(([name], i) => `, ${COLUMNS[name]} = $${i + 2}`).join('')}
         where breach_id = $1 and site_id = any (current_sites()) returning ${AS_BREACH}`,
            [ctx.params.breachId, ...given.map(([, value]) => value)],
          )
        ).rows,
    );
    if (!changed) throw missing();
    aboutWhom(ctx, { siteId: changed.siteId, target: changed.breachId });
    ctx.body = { ok: true, breach: changed };
  });

  router.get('/v1/admin/audit-log', admin, async (ctx) => {
    const { limit, before } = validate(pageQuery, { ...ctx.query });
    const entries = await inSites(
      db,
      [...sites.ids(), NO_SITE],
      async (client) =>
        (
          await client.query(
            `select audit_id as "auditId", nullif(site_id, $3) as "siteId", instant_text(at) as at, actor, action, target, outcome, request_id as "requestId", details
         from audit_log where site_id = any (current_sites()) and ($1::uuid is null or audit_id < $1) order by audit_id desc limit $2`,
            [before ?? null, limit, NO_SITE],
          )
        ).rows,
    );
    ctx.body = { ok: true, entries };
  });
  return router;
}

const breachShape = z
  .object({ breachId: z.uuid(), title: z.string(), discoveredAt: z.string() })
  .loose()
  .meta({ id: 'Breach' });
const one = z.object({ ok: z.literal(true), breach: breachShape });

export const recordPaths: ZodOpenApiPathsObject = {
  '/v1/admin/breaches': {
    get: {
      ...adminDoor,
      summary: 'The register of breaches',
      responses: { 200: ok(z.object({ ok: z.literal(true), breaches: z.array(breachShape) })), ...refusals },
    },
    post: {
      ...adminDoor,
      summary: 'Registers a breach',
      requestBody: jsonBody(newBreach),
      responses: { 201: ok(one), ...refusals },
    },
  },
  '/v1/admin/breaches/{breachId}': {
    patch: {
      ...adminDoor,
      summary: 'Adds what became known of a breach',
      requestParams: { path: z.object({ breachId: z.uuid() }) },
      requestBody: jsonBody(breachPatch),
      responses: { 200: ok(one), ...refusals },
    },
  },
  '/v1/admin/audit-log': {
    get: {
      ...adminDoor,
      summary: 'What administrators did, newest first',
      requestParams: { query: pageQuery },
      responses: {
        200: ok(z.object({ ok: z.literal(true), entries: z.array(z.object({}).loose()) })),
        ...refusals,
      },
    },
  },
};
