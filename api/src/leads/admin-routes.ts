// The admin's door to leads: list, export, timeline, evidence, erasure, quarantine, manual links.
import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { aboutWhom } from '../audit/audit.ts';
import { chainFaults } from '../consent/chain.ts';
import { linkToken } from '../consent/link.ts';
import { listConsentRecords } from '../consent/queries.ts';
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { anonId, propertyId } from '../events/schema.ts';
import { readBody } from '../http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../http/openapi-parts.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import { validate } from '../http/validate.ts';
import { mergeIdentity, unmergeIdentity } from '../identities/links.ts';
import { AppError } from '../lib/app-error.ts';
import type { Log } from '../lib/log.ts';
import type { Site } from '../sites/queries.ts';
import type { Sites } from '../sites/recognise.ts';
import { csvLine } from './csv.ts';
import { forget } from './forget.ts';
import { importInput, importLeads, importReport } from './import.ts';
import type { Journal } from './journal.ts';
import {
  type Cursor,
  findLead,
  findLeadByAddress,
  type LeadFilter,
  type LeadRow,
  listConversions,
  listLeads,
  timelineOf,
} from './listing.ts';
import { decideQuarantined, listQuarantined } from './quarantine.ts';
import { email } from './schema.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EXPORT_PAGE = 500;
const TIMELINE_EVENTS_MAX = 500;
const SUBJECT_EVENTS_MAX = 100_000;
const IMPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface LeadAdminDoors {
  db: Pool;
  sites: Sites;
  limits: RateLimits;
  admin: Middleware;
  log: Log;
  hashAddress: (siteId: string, normalized: string) => string;
  forgetJournal: string;
  journal: Journal;
  publicUrl: string | undefined;
}

const subjectInput = z.object({ email, propertyId: propertyId.optional() }).meta({ id: 'Subject' });

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

export function leadAdminRoutes(doors: LeadAdminDoors): Router {
  const { db, sites, limits, admin, hashAddress, forgetJournal, journal, publicUrl } = doors;
  const router = new Router();
  const body = readBody({ bytesMax: 16 * 1024 });
  const allSites = () => sites.list().map((site) => site.siteId);

  async function siteFor(ctx: Context, key: string | undefined): Promise<Site> {
    const site = await sites.recognise(ctx, key);
    aboutWhom(ctx, { siteId: site.siteId });
    return site;
  }
  const unknown = () => new AppError('not_found', 'There is no lead with this address or id.');
  /** Lets /v1/leads/anything-else be what it is for others (405, 404). */
  const onlyIds: Middleware = (ctx, next) => {
    if (!UUID.test(ctx.params.leadId ?? ctx.params.quarantineId ?? ''))
      throw new AppError('not_found', 'There is nothing at this address.');
    return next();
  };
  async function leadHere(ctx: Context): Promise<LeadRow> {
    const lead = await inSites(db, allSites(), (client) => findLead(client, ctx.params.leadId!));
    if (!lead) throw unknown();
    aboutWhom(ctx, { siteId: lead.siteId, target: lead.leadId });
    return lead;
  }

  router.post('/v1/leads/delete', admin, body, async (ctx) => {
    await limits.take(ctx, 'delete');
    const input = validate(subjectInput, ctx.state.body);
    const site = await siteFor(ctx, input.propertyId);
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
    const site = await siteFor(ctx, input.propertyId);
    const subject = await inSites(db, site.siteId, async (client) => {
      const lead = await findLeadByAddress(client, site.siteId, input.email.normalized);
      const quarantined = (
        await client.query(
          'select quarantine_id as "quarantineId", received_at as "receivedAt", reasons, decision from quarantine where site_id = $1 and email_normalized = $2',
          [site.siteId, input.email.normalized],
        )
      ).rows;
      if (!lead) {
        const emailHash = hashAddress(site.siteId, input.email.normalized);
        const conversions = await listConversions(client, site.siteId, { emailHash });
        return quarantined.length + conversions.length > 0 ? { lead: null, quarantined, conversions } : null;
      }
      const mails = (
        await client.query(
          'select kind, queued_at as "queuedAt", sent_at as "sentAt" from outgoing_mails where site_id = $1 and lead_id = $2 order by queued_at',
          [site.siteId, lead.leadId],
        )
      ).rows;
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

  async function list(ctx: Context, query: z.output<typeof searchInput>): Promise<void> {
    const { propertyId: key, limit: size, cursor: from, ...filter } = query;
    const site = await siteFor(ctx, key);
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
    const site = await siteFor(ctx, key);
    ctx.type = 'text/csv; charset=utf-8';
    ctx.attachment('leads.csv');
    ctx.set('Cache-Control', 'no-store');
    ctx.body = Readable.from(exportCsv(db, site, filter), { objectMode: false });
  });

  router.post('/v1/leads/import', admin, readBody({ bytesMax: IMPORT_BYTES_MAX }), async (ctx) => {
    const input = validate(importInput, ctx.state.body);
    const site = await siteFor(ctx, input.propertyId);
    const report = await importLeads(db, site.siteId, input, (normalized) =>
      hashAddress(site.siteId, normalized),
    );
    aboutWhom(ctx, { details: { dryRun: input.dryRun, ...report.counts } });
    ctx.body = { ok: true, ...report };
  });

  router.get('/v1/leads/:leadId', onlyIds, admin, async (ctx) => {
    const lead = await leadHere(ctx);
    const timeline = await inSites(db, lead.siteId, (client) =>
      timelineOf(client, lead, TIMELINE_EVENTS_MAX),
    );
    ctx.body = { ok: true, lead, ...timeline };
  });

  router.get('/v1/leads/:leadId/consent', onlyIds, admin, async (ctx) => {
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

  router.get('/v1/admin/quarantine', admin, async (ctx) => {
    const query = validate(
      z.object({ propertyId: propertyId.optional(), limit, before: z.uuid().optional() }),
      { ...ctx.query },
    );
    const siteIds = query.propertyId ? [(await siteFor(ctx, query.propertyId)).siteId] : allSites();
    ctx.body = {
      ok: true,
      quarantined: await inSites(db, siteIds, (client) =>
        listQuarantined(client, query.before ?? null, query.limit),
      ),
    };
  });
  for (const decision of ['release', 'drop'] as const) {
    router.post(`/v1/admin/quarantine/:quarantineId/${decision}`, onlyIds, admin, async (ctx) => {
      const done = await decideQuarantined(db, allSites(), ctx.params.quarantineId!, decision);
      aboutWhom(ctx, { target: ctx.params.quarantineId!, ...(done ? { siteId: done.siteId } : {}) });
      if (!done) throw new AppError('not_found', 'Nothing with this id waits in quarantine.');
      ctx.body = { ok: true, ...(done.leadId ? { leadId: done.leadId } : {}) };
    });
  }

  for (const verb of ['merge', 'unmerge'] as const) {
    router.post(`/v1/identities/${verb}`, admin, body, async (ctx) => {
      const input = validate(linkInput, ctx.state.body);
      const site = await siteFor(ctx, input.propertyId);
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
  if (!UUID.test(leadId) || Number.isNaN(Date.parse(at)))
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
const quarantineId = { path: z.object({ quarantineId: z.uuid() }) };
const linked = z.object({ ok: z.literal(true) }).loose();

export const leadAdminPaths: ZodOpenApiPathsObject = {
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
  '/v1/admin/quarantine': {
    get: {
      ...adminDoor,
      summary: 'Suspicious submissions that wait for a decision, newest first',
      requestParams: {
        query: z.object({ propertyId: propertyId.optional(), limit, before: z.uuid().optional() }),
      },
      responses: { 200: ok(z.object({ ok: z.literal(true), quarantined: things })), ...refusals },
    },
  },
  '/v1/admin/quarantine/{quarantineId}/release': {
    post: {
      ...adminDoor,
      summary: 'Takes it as a lead after all',
      requestParams: quarantineId,
      responses: { 200: ok(linked), ...refusals },
    },
  },
  '/v1/admin/quarantine/{quarantineId}/drop': {
    post: {
      ...adminDoor,
      summary: 'Forgets it',
      requestParams: quarantineId,
      responses: { 200: ok(linked), ...refusals },
    },
  },
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
