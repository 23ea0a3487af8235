// Leads for administrators: lists, CSV in and out, one lead's timeline and the evidence of its consent.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import {
  day,
  flag,
  instant,
  nextCursor,
  pageOf,
  paging,
  readCursor,
  siteName,
} from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { unsubscribeUrl } from '../consent/link.ts';
import { purposeField } from '../consent/purposes.ts';
import { consentStandings, consentStatus, standingShape } from '../consent/record.ts';
import type { CustomFields } from '../custom-fields/known.ts';
import { timelineOf } from './belongings.ts';
import { consentEvidence, evidenceShape } from './evidence.ts';
import { exportColumn, exportedOf, exportLeads } from './export.ts';
import type { LeadFilter } from './filter.ts';
import { importInput, importLeads, importReport } from './import.ts';
import { countLeads, existingLead, listLeads } from './listing.ts';
import { masked, maskedTimeline } from './mask.ts';
import { domainClass, leadShape, listedShape, timelineShape } from './shapes.ts';

const IMPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface LeadNeeds {
  db: Pool;
  sites: Pick<SiteDirectory, 'find'>;
  customFields: Pick<CustomFields, 'of'>;
  hashAddress: (siteId: string, normalized: string) => string;
  /** undefined: the host that is asked. */
  publicUrl: string | undefined;
}

const withdrawnSince = instant
  .optional()
  .describe(
    'whom one may no longer write to since then, or not for the purpose: withdrawn, run out, restricted, or by the site’s impliedConsent; for a mail tool',
  );
const filters = {
  propertyId: siteName,
  source: z.string().max(64).optional(),
  purpose: purposeField
    .optional()
    .describe('what consent, mailable and withdrawnSince are about, one word; default: email'),
  consent: consentStatus.optional().describe('for the purpose, at this moment'),
  withdrawnSince,
  domainClass: domainClass.optional(),
  from: day.optional().describe('the site’s day of the first capture, inclusive'),
  to: day.optional(),
  submissionId: z.uuid().optional().describe('of the answer to a capture: the lead it became, if it did'),
};
const q = z.string().trim().min(1).max(320);
const mailable =
  'whom one may write to now: express consent, or implied that has not run out; with a purpose, for both email and that';
const urlFilters = {
  ...filters,
  mailable: flag.optional().describe(mailable),
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
  .describe(
    `of ${exportColumn.options.join(', ')}, parted by commas; default: all but payload and attributes`,
  );
const pages = paging(50, 200);
const searchInput = z
  .object({ ...filters, mailable: z.boolean().optional().describe(mailable), q: q.optional(), ...pages })
  .meta({ id: 'LeadSearch' });
const listed = z.object({ leads: z.array(listedShape), nextCursor });

export function leadRoutes(needs: LeadNeeds): Route[] {
  const { db, sites, customFields, hashAddress, publicUrl } = needs;
  const common = { tag: 'leads', who: 'leads' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/leads',
      id: 'listLeads',
      says: 'Leads, newest first; masked for who may not see who they are',
      who: 'leadFacts',
      of: 'named',
      takes: { as: 'query', shape: z.object({ ...urlFilters, ...pages }) },
      answers: { 200: listed },
      run: (query, call) => list(needs, query, call),
    }),
    route({
      ...common,
      at: 'POST /v1/leads/search',
      id: 'searchLeads',
      looks: true,
      says: 'The same, for a search by address',
      of: 'named',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: searchInput },
      answers: { 200: listed },
      run: (query, call) => list(needs, query, call),
    }),
    route({
      ...common,
      at: 'GET /v1/leads/export.csv',
      id: 'exportLeads',
      proof: 'fresh',
      says: 'Leads as CSV (RFC 4180 in UTF-8 with its mark, formulas made inert), with unsubscribe links; streamed',
      of: 'named',
      takes: { as: 'query', shape: z.object({ ...urlFilters, columns: chosenColumns }) },
      answers: { 200: { says: 'CSV', type: 'text/csv' } },
      async run({ propertyId: _, columns, ...filter }, call) {
        const { siteId } = call.site;
        const count = await inSites(db, siteId, (tx) => countLeads(tx, siteId, exportedOf(filter)));
        // beside the columns, which the frame notes
        call.note({ details: { filter: notedFilter(filter), leads: count } });
        const leads = exportLeads(db, siteId, filter, {
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
        const report = await importLeads(db, siteId, input, {
          fields: customFields.of(siteId, 'form'),
          hashAddress: (normalized) => hashAddress(siteId, normalized),
        });
        call.note({ details: { dryRun: input.dryRun, ...report.counts } });
        return report;
      },
    }),
    route({
      ...common,
      at: 'GET /v1/leads/:leadId',
      id: 'getLead',
      says: 'A lead with its newest sessions, events, submissions, consents and conversions; masked for who may not see who it is',
      who: 'leadFacts',
      of: 'all',
      answers: {
        200: z.object({ lead: leadShape, purposes: z.array(standingShape), ...timelineShape.shape }),
      },
      async run(_input, call) {
        const lead = await existingLead(db, call);
        const isMasked = !call.caller.may('leads', lead.siteId);
        return inSites(db, lead.siteId, async (client) => {
          const timeline = await timelineOf(client, lead);
          return {
            lead: isMasked ? masked(lead, customFields.of(lead.siteId, 'form')) : lead,
            purposes: await consentStandings(client, lead.siteId, lead.leadId),
            ...(isMasked ? maskedTimeline(timeline, customFields.of(lead.siteId, 'props')) : timeline),
          };
        });
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
      async run(_input, call) {
        const lead = await existingLead(db, call);
        return consentEvidence(db, sites.find(lead.siteId)!, lead, publicUrl ?? call.origin);
      },
    }),
  ];
}

// A line of the audit log names so many; of more it says how many, and by which filter they are found again.
const NAMED_MAX = 20;

/** As the audit log keeps it: part of an address is part of an address. */
function notedFilter({ q: part, ...filter }: LeadFilter): Record<string, string | boolean> {
  const said = Object.entries(filter).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(said), ...(part === undefined ? {} : { q: `${part.length} letters` }) };
}

async function list(
  { db, customFields, publicUrl }: LeadNeeds,
  { propertyId: _, limit, cursor, ...filter }: z.output<typeof searchInput>,
  call: Call,
): Promise<z.output<typeof listed>> {
  const { siteId } = call.site;
  const isMasked = !call.caller.may('leads', siteId);
  if (isMasked && filter.q !== undefined)
    throw new AppError('forbidden', 'Who may not see addresses does not search them. Leave q out.');
  const after = readCursor(cursor, z.tuple([z.iso.datetime(), z.uuid()]));
  const leads = await inSites(db, siteId, (client) =>
    listLeads(client, siteId, filter, after && { at: after[0], leadId: after[1] }, limit + 1),
  );
  const { page, nextCursor: next } = pageOf(leads, limit, (last) => [last.firstCapturedAt, last.leadId]);
  call.note({
    details: {
      filter: notedFilter(filter),
      leads: page.length,
      ...(page.length <= NAMED_MAX ? { leadIds: page.map(({ leadId }) => leadId) } : {}),
    },
  });
  const withLink = page.map(({ unsubscribeKey, ...lead }) => ({
    ...(isMasked ? masked(lead, customFields.of(siteId, 'form')) : lead),
    unsubscribeUrl: isMasked ? null : unsubscribeUrl(publicUrl ?? call.origin, siteId, unsubscribeKey),
  }));
  return { leads: withLink, nextCursor: next };
}
