// Leads for administrators: lists, CSV in and out, one lead's timeline and the evidence of its consent.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { day, nextCursor, pageOf, paging, readCursor, siteName } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { consentStatus } from '../consent/record.ts';
import { timelineOf } from './belongings.ts';
import { consentEvidence, evidenceShape } from './evidence.ts';
import { exportColumn, exportLeads } from './export.ts';
import { importInput, importLeads, importReport } from './import.ts';
import { findLead, listLeads } from './listing.ts';
import { domainClass, type LeadRow, leadShape, timelineShape } from './shapes.ts';

const IMPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface LeadNeeds {
  db: Pool;
  hashAddress: (siteId: string, normalized: string) => string;
  /** undefined: the host that is asked. */
  publicUrl: string | undefined;
}

const filters = {
  propertyId: siteName,
  source: z.string().max(64).optional(),
  consent: consentStatus.optional(),
  domainClass: domainClass.optional(),
  from: day.optional().describe('the site’s day of the first capture, inclusive'),
  to: day.optional(),
  submissionId: z.uuid().optional().describe('of the answer to a capture: the lead it became, if it did'),
};
const q = z.string().trim().min(1).max(320);
const urlFilters = {
  ...filters,
  q: q
    .refine(
      (text) => !text.includes('@'),
      'addresses do not belong in URLs: send it to POST /v1/leads/search',
    )
    .optional()
    .describe('part of an address, without its @'),
};
const chosenColumns = z
  .string()
  .transform((names) => names.split(',').map((name) => name.trim()))
  .pipe(z.array(exportColumn).min(1))
  .optional()
  .describe(`of ${exportColumn.options.join(', ')}, parted by commas; default: all but payload`);
const pages = paging(50, 200);
const searchInput = z.object({ ...filters, q: q.optional(), ...pages }).meta({ id: 'LeadSearch' });
const listed = z.object({ leads: z.array(leadShape), nextCursor });

export function leadRoutes({ db, hashAddress, publicUrl }: LeadNeeds): Route[] {
  const common = { tag: 'leads', who: 'leads' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/leads',
      id: 'listLeads',
      says: 'Leads, newest first',
      of: 'named',
      takes: { as: 'query', shape: z.object({ ...urlFilters, ...pages }) },
      answers: { 200: listed },
      run: (query, call) => list(db, query, call),
    }),
    route({
      ...common,
      at: 'POST /v1/leads/search',
      id: 'searchLeads',
      says: 'The same, for a search by address',
      of: 'named',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: searchInput },
      answers: { 200: listed },
      run: (query, call) => list(db, query, call),
    }),
    route({
      ...common,
      at: 'GET /v1/leads/export.csv',
      id: 'exportLeads',
      says: 'Leads as CSV (RFC 4180 in UTF-8 with its mark, formulas made inert), with unsubscribe links; streamed',
      of: 'named',
      takes: { as: 'query', shape: z.object({ ...urlFilters, columns: chosenColumns }) },
      answers: { 200: { says: 'CSV', type: 'text/csv' } },
      run({ propertyId: _, columns, ...filter }, call) {
        const leads = exportLeads(db, call.site.siteId, filter, {
          columns,
          publicUrl: publicUrl ?? call.origin,
        });
        return new Reply(200, leads, {
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': 'attachment; filename="leads.csv"',
          'Cache-Control': 'no-store',
        });
      },
    }),
    route({
      ...common,
      at: 'POST /v1/leads/import',
      id: 'importLeads',
      says: 'Takes over leads with the evidence of their consent; dryRun tells what would happen',
      of: 'named',
      takes: { as: ['json'], bytesMax: IMPORT_BYTES_MAX, shape: importInput },
      answers: { 200: importReport },
      async run(input, call) {
        const { siteId } = call.site;
        const report = await importLeads(db, siteId, input, (normalized) => hashAddress(siteId, normalized));
        call.note({ details: { dryRun: input.dryRun, ...report.counts } });
        return report;
      },
    }),
    route({
      ...common,
      at: 'GET /v1/leads/:leadId',
      id: 'getLead',
      says: 'A lead with its newest sessions, events, submissions, consents and conversions',
      of: 'all',
      answers: { 200: z.object({ lead: leadShape, ...timelineShape.shape }) },
      async run(_input, call) {
        const lead = await existing(db, call);
        const timeline = await inSites(db, lead.siteId, (client) => timelineOf(client, lead));
        return { lead, ...timeline };
      },
    }),
    route({
      ...common,
      at: 'GET /v1/leads/:leadId/consent',
      id: 'getConsentEvidence',
      says: 'Evidence pack: every consent record with its exact words, and whether the chain is whole; streamed',
      who: 'evidence',
      of: 'all',
      answers: { 200: evidenceShape },
      run: async (_input, call) => consentEvidence(db, await existing(db, call), publicUrl ?? call.origin),
    }),
  ];
}

async function list(
  db: Pool,
  { propertyId: _, limit, cursor, ...filter }: z.output<typeof searchInput>,
  call: Call,
): Promise<z.output<typeof listed>> {
  const { siteId } = call.site;
  const after = readCursor(cursor, z.tuple([z.iso.datetime(), z.uuid()]));
  const leads = await inSites(db, siteId, (client) =>
    listLeads(client, siteId, filter, after && { at: after[0], leadId: after[1] }, limit + 1),
  );
  const { page, nextCursor: next } = pageOf(leads, limit, (last) => [last.firstCapturedAt, last.leadId]);
  return { leads: page, nextCursor: next };
}

async function existing(db: Pool, call: Call): Promise<LeadRow> {
  const lead = await inSites(db, call.siteIds, (client) => findLead(client, call.params.leadId!));
  if (!lead) throw new AppError('not_found', 'There is no lead with this id.');
  call.note({ siteId: lead.siteId, target: lead.leadId });
  return lead;
}
