// The admin's door to leads: lists, CSV in and out, one lead's timeline and evidence.
import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody } from '../../ground/http/body.ts';
import { onlyIds } from '../../ground/http/ids.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import type { Site } from '../../ground/site.ts';
import { aboutWhom, siteOf } from '../../operations/audit/audit.ts';
import { chainFaults } from '../consent/chain.ts';
import { linkToken } from '../consent/link.ts';
import { listConsentRecords } from '../consent/queries.ts';
import { propertyId } from '../events/schema.ts';
import type { Sites } from '../sites/recognise.ts';
import { csvLine } from './csv.ts';
import { importInput, importLeads, importReport } from './import.ts';
import { type Cursor, findLead, type LeadFilter, type LeadRow, listLeads, timelineOf } from './listing.ts';

const EXPORT_PAGE = 500;
const TIMELINE_EVENTS_MAX = 500;
const IMPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface LeadAdminDoors {
  db: Pool;
  sites: Sites;
  admin: Middleware;
  hashAddress: (siteId: string, normalized: string) => string;
  publicUrl: string | undefined;
}

const day = z.iso.date();
const filters = {
  propertyId: propertyId.optional(),
  source: z.string().max(64).optional(),
  consent: z.enum(['pending', 'implied', 'express', 'withdrawn', 'expired']).optional(),
  domainClass: z.enum(['free_mail', 'business', 'disposable']).optional(),
  from: day.optional().describe('UTC day of the first capture, inclusive'),
  to: day.optional(),
};
const q = z.string().trim().min(1).max(320);
const limit = z.coerce.number().int().min(1).max(200).default(50);
const cursor = z.string().max(200).optional();
const listQuery = z.object({
  ...filters,
  q: q
    .refine(
      (text) => !text.includes('@'),
      'addresses do not belong in URLs: send it to POST /v1/leads/search',
    )
    .optional()
    .describe('part of an address, without its @'),
  limit,
  cursor,
});
const searchInput = z.object({ ...filters, q: q.optional(), limit, cursor }).meta({ id: 'LeadSearch' });

export function leadAdminRoutes(doors: LeadAdminDoors): Router {
  const { db, sites, admin, hashAddress, publicUrl } = doors;
  const router = new Router();
  const body = readBody({ bytesMax: 16 * 1024 });

  async function leadHere(ctx: Context): Promise<LeadRow> {
    const lead = await inSites(db, sites.ids(), (client) => findLead(client, ctx.params.leadId!));
    if (!lead) throw new AppError('not_found', 'There is no lead with this id.');
    aboutWhom(ctx, { siteId: lead.siteId, target: lead.leadId });
    return lead;
  }

  async function list(ctx: Context, query: z.output<typeof searchInput>): Promise<void> {
    const { propertyId: key, limit: size, cursor: from, ...filter } = query;
    const site = await siteOf(ctx, sites, key);
    const leads = await inSites(db, site.siteId, (client) =>
      listLeads(client, site.siteId, filter, readCursor(from), size + 1),
    );
    const page = leads.slice(0, size);
    ctx.body = { ok: true, leads: page, nextCursor: leads.length > size ? writeCursor(page.at(-1)!) : null };
  }
  router.get('/v1/leads', admin, async (ctx) => list(ctx, validate(listQuery, { ...ctx.query })));
  router.post('/v1/leads/search', admin, body, async (ctx) =>
    list(ctx, validate(searchInput, ctx.state.body)),
  );

  router.get('/v1/leads/export.csv', admin, async (ctx) => {
    const { propertyId: key, limit: _size, cursor: _from, ...filter } = validate(listQuery, { ...ctx.query });
    const site = await siteOf(ctx, sites, key);
    ctx.type = 'text/csv; charset=utf-8';
    ctx.attachment('leads.csv');
    ctx.set('Cache-Control', 'no-store');
    ctx.body = Readable.from(exportCsv(db, site, filter), { objectMode: false });
  });

  router.post('/v1/leads/import', admin, readBody({ bytesMax: IMPORT_BYTES_MAX }), async (ctx) => {
    const input = validate(importInput, ctx.state.body);
    const site = await siteOf(ctx, sites, input.propertyId);
    const report = await importLeads(db, site.siteId, input, (normalized) =>
      hashAddress(site.siteId, normalized),
    );
    aboutWhom(ctx, { details: { dryRun: input.dryRun, ...report.counts } });
    ctx.body = { ok: true, ...report };
  });

  router.get('/v1/leads/:leadId', onlyIds('leadId'), admin, async (ctx) => {
    const lead = await leadHere(ctx);
    const timeline = await inSites(db, lead.siteId, (client) =>
      timelineOf(client, lead, TIMELINE_EVENTS_MAX),
    );
    ctx.body = { ok: true, lead, ...timeline };
  });

  router.get('/v1/leads/:leadId/consent', onlyIds('leadId'), admin, async (ctx) => {
    const lead = await leadHere(ctx);
    const evidence = await inSites(db, lead.siteId, async (client) => {
      const { rows } = await client.query<{ seq: number; hash: string | null; key: string }>(
        `select consent_seq as seq, encode(consent_head, 'hex') as hash, unsubscribe_key as key from leads where site_id = $1 and lead_id = $2`,
        [lead.siteId, lead.leadId],
      );
      return { records: await listConsentRecords(client, lead.siteId, lead.leadId), head: rows[0]! };
    });
    const { records, head } = evidence;
    const faults = chainFaults(records, head);
    ctx.body = {
      ok: true,
      leadId: lead.leadId,
      email: lead.email,
      status: lead.consentStatus,
      expiresAt: lead.consentExpiresAt,
      chain: { valid: faults.length === 0, faults, length: records.length, head: head.hash },
      records,
      unsubscribeUrl: `${(publicUrl ?? `${ctx.protocol}://${ctx.host}`).replace(/\/$/, '')}/v1/unsubscribe/${linkToken(lead.siteId, head.key)}`,
      verify:
        'hash = SHA-256 of previousHash, siteId, leadId, seq, action, status, kind, basis, textSha256, privacySignal, occurredAt, recordedAt, expiresAt, detailsDigest; each field as <bytes>:<utf-8>; and an absent one as -; . detailsDigest = SHA-256 of the salt and, written likewise, email, textId, language, policyVersion, purposes, page, formName, source, evidence, ipHash, uaHash. textSha256 = SHA-256 of the words.',
    };
  });

  return router;
}

const EXPORT_COLUMNS = [
  'email',
  'leadId',
  'firstCapturedAt',
  'lastSubmittedAt',
  'consentStatus',
  'consentAt',
  'consentExpiresAt',
  'verifiedAt',
  'domainClass',
  'firstSource',
  'firstPath',
  'firstReferrer',
  'firstFormName',
  'sourceChannel',
] as const;

async function* exportCsv(db: Pool, site: Site, filter: LeadFilter): AsyncGenerator<string> {
  yield csvLine([...EXPORT_COLUMNS, 'utmSource', 'utmMedium', 'utmCampaign', 'utmTerm', 'utmContent']);
  let after: Cursor | null = null;
  for (;;) {
    const from: Cursor | null = after;
    const page: LeadRow[] = await inSites(db, site.siteId, (client) =>
      listLeads(client, site.siteId, filter, from, EXPORT_PAGE),
    );
    if (page.length === 0) return;
    yield page
      .map((lead) => {
        const utm = lead.firstUtm ?? {};
        return csvLine([
          ...EXPORT_COLUMNS.map((name) => lead[name]),
          utm.source,
          utm.medium,
          utm.campaign,
          utm.term,
          utm.content,
        ]);
      })
      .join('');
    const last: LeadRow = page.at(-1)!;
    after = { at: last.firstCapturedAt, leadId: last.leadId };
  }
}

const writeCursor = (lead: LeadRow) =>
  Buffer.from(`${lead.firstCapturedAt} ${lead.leadId}`).toString('base64url');
function readCursor(text: string | undefined): Cursor | null {
  if (!text) return null;
  const [at = '', leadId = ''] = Buffer.from(text, 'base64url').toString().split(' ');
  if (!isUuid(leadId) || Number.isNaN(Date.parse(at)))
    throw new AppError('invalid_request', 'This cursor is not one of ours.', {
      issues: [{ path: 'cursor', message: 'take nextCursor of the page before' }],
    });
  return { at: new Date(at).toISOString(), leadId };
}

const leadShape = z
  .object({
    leadId: z.uuid(),
    email: z.string(),
    firstCapturedAt: z.iso.datetime(),
    consentStatus: z.string(),
    firstSource: z.string(),
  })
  .loose()
  .meta({ id: 'Lead' });
const pageShape = z.object({
  ok: z.literal(true),
  leads: z.array(leadShape),
  nextCursor: z.string().nullable(),
});
const things = z.array(z.object({}).loose());
const leadId = { path: z.object({ leadId: z.uuid() }) };

export const leadAdminPaths: ZodOpenApiPathsObject = {
  '/v1/leads': {
    get: {
      ...adminDoor,
      summary: 'Leads, newest first',
      requestParams: { query: listQuery },
      responses: { 200: ok(pageShape), ...refusals },
    },
  },
  '/v1/leads/search': {
    post: {
      ...adminDoor,
      summary: 'The same, for a search by address',
      requestBody: jsonBody(searchInput),
      responses: { 200: ok(pageShape), ...refusals },
    },
  },
  '/v1/leads/export.csv': {
    get: {
      ...adminDoor,
      summary: 'Leads as CSV (RFC 4180, formulas made inert), streamed',
      requestParams: { query: listQuery },
      responses: {
        200: { description: 'CSV', content: { 'text/csv': { schema: z.string() } } },
        ...refusals,
      },
    },
  },
  '/v1/leads/import': {
    post: {
      ...adminDoor,
      summary: 'Takes over leads with the evidence of their consent; dryRun tells what would happen',
      requestBody: jsonBody(importInput),
      responses: { 200: ok(importReport), ...refusals },
    },
  },
  '/v1/leads/{leadId}': {
    get: {
      ...adminDoor,
      summary: 'A lead with its sessions, events, submissions and consents',
      requestParams: leadId,
      responses: {
        200: ok(
          z.object({
            ok: z.literal(true),
            lead: leadShape,
            identities: things,
            sessions: things,
            events: things,
            submissions: things,
            consents: things,
          }),
        ),
        ...refusals,
      },
    },
  },
  '/v1/leads/{leadId}/consent': {
    get: {
      ...adminDoor,
      summary: 'Evidence pack: every consent record with its exact words, and whether the chain is whole',
      requestParams: leadId,
      responses: {
        200: ok(
          z
            .object({
              ok: z.literal(true),
              leadId: z.uuid(),
              status: z.string(),
              chain: z.object({
                valid: z.boolean(),
                faults: z.array(z.string()),
                length: z.int(),
                head: z.string().nullable(),
              }),
              records: things,
            })
            .loose(),
        ),
        ...refusals,
      },
    },
  },
};
