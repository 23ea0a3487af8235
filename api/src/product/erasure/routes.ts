// What a person may ask for, done by an admin: everything held about them, its erasure, and later the proof of that.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { anonId, siteName, utc } from '../../ground/http/fields.ts';
import { streamedJson } from '../../ground/http/json-stream.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Tables } from '../../ground/tables.ts';
import type { Journal } from '../captures/journal.ts';
import { email } from '../captures/schema.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { answered } from '../requests/register.ts';
import type { RequestKind } from '../requests/schema.ts';
import type { Forget } from './forget.ts';
import { proofShape, proofsOf } from './proof.ts';
import { everythingAbout, subjectShape } from './subject.ts';

export interface ErasureNeeds {
  db: Pool;
  sites: SiteDirectory;
  /** Of all features. */
  tables: Tables;
  forget: Forget;
  hashAddress: (siteId: string, normalized: string) => string;
  journal: Journal;
  publicUrl: string | undefined;
  /** For how long a backup may still hold what is erased. */
  backupDays: number;
}

const DAY_MS = 86_400_000;
const subjectInput = z
  .object({
    email,
    propertyId: siteName.describe("the site's key or id; without it every site of the caller"),
  })
  .meta({ id: 'Subject' });
const exportInput = z
  .object({
    email: email.optional(),
    anonId: anonId.optional().describe("a browser's own id (mkt.id()), for who left no address"),
    propertyId: subjectInput.shape.propertyId,
  })
  .refine((given) => (given.email === undefined) !== (given.anonId === undefined), {
    path: ['email'],
    message: 'give either email or anonId',
  })
  .meta({ id: 'ExportedSubject' });

const siteShape = z.object({ siteId: z.uuid(), key: z.string(), name: z.string() });
const erased = z.record(z.string(), z.int()).describe('rows per table');
const certificate = {
  erasureId: z.uuid(),
  erasedAt: utc,
  backupsUntil: utc.describe('until when backups may still hold it; one that is restored forgets again'),
};

export function erasureRoutes(needs: ErasureNeeds): Route[] {
  const { db } = needs;
  const common = { tag: 'erasure', who: 'evidence', of: 'named or all' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/leads/delete',
      id: 'eraseSubject',
      says: 'Forgets everything about an address, on one site or on every site of the caller; the answer is a certificate',
      bucket: 'delete',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: subjectInput },
      answers: {
        200: z.object({
          deleted: z.literal(true),
          erased: erased.describe('rows per table, of all these sites'),
          ...certificate,
          sites: z.array(z.object({ site: siteShape, erased, ...certificate })),
          note: z.string(),
        }),
      },
      run: ({ email: { normalized } }, call) => erase(needs, call, normalized),
    }),
    route({
      ...common,
      at: 'POST /v1/leads/export-subject',
      id: 'exportSubject',
      says: 'Everything held about an address, or about a browser by its own id; streamed, whatever its length',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: exportInput },
      answers: {
        200: z.object({
          site: siteShape,
          generatedAt: utc,
          subject: subjectShape,
          others: z
            .array(z.object({ site: siteShape, subject: subjectShape }))
            .describe('the same of further sites that hold something'),
        }),
      },
      run: (input, call) => exportAll(needs, call, input),
    }),
    route({
      ...common,
      at: 'POST /v1/leads/erasure-proof',
      id: 'showErasureProof',
      says: 'What proof is kept of an erased address: when it was forgotten, and the chain of its consent without a word of whose',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: subjectInput },
      answers: { 200: z.object({ proofs: z.array(proofShape) }) },
      async run({ email: { normalized } }, call) {
        const proofs = [];
        for (const siteId of call.siteIds)
          proofs.push(...(await proofsOf(db, siteId, needs.hashAddress(siteId, normalized))));
        return { proofs };
      },
    }),
  ];
}

const unknown = ({ siteIds }: Call, { sites }: ErasureNeeds) =>
  new AppError(
    'not_found',
    siteIds.length === 1
      ? `There is nothing about this address on the site ${sites.find(siteIds[0]!)?.key ?? ''}.`
      : `There is nothing about this address on any of your ${siteIds.length} sites.`,
  );

function told({ sites }: ErasureNeeds, siteId: string): z.output<typeof siteShape> {
  const { key, name } = sites.find(siteId)!;
  return { siteId, key, name };
}

/** Into the register: the open request of this kind, or an entry made and answered now. */
const register = (
  { db, hashAddress }: ErasureNeeds,
  call: Call,
  siteId: string,
  kind: RequestKind,
  normalized: string,
) =>
  inSites(db, siteId, (tx) =>
    answered(tx, {
      siteId,
      kind,
      emailHash: hashAddress(siteId, normalized),
      receivedAt: call.receivedAt.toISOString(),
    }),
  );

async function erase(needs: ErasureNeeds, call: Call, normalized: string) {
  const { forget, hashAddress, journal, backupDays } = needs;
  const certificates = [];
  for (const siteId of call.siteIds) {
    const emailHash = hashAddress(siteId, normalized);
    const { found, ...done } = await forget({ siteId, emailNormalized: normalized, emailHash });
    const failed = await journal.forgetFailed(({ body }) => {
      const of = body as { email_normalized?: string; site_id?: string } | null;
      return of?.email_normalized === normalized && of.site_id === siteId;
    });
    if (failed > 0) done.erased.journal = failed;
    if (!found && failed === 0) continue;
    const backupsUntil = new Date(Date.parse(done.erasedAt) + backupDays * DAY_MS).toISOString();
    certificates.push({ site: told(needs, siteId), ...done, backupsUntil });
    await register(needs, call, siteId, 'erasure', normalized);
  }
  const [first] = certificates;
  if (!first) throw unknown(call, needs);
  const all: Record<string, number> = {};
  for (const one of certificates)
    for (const [table, rows] of Object.entries(one.erased)) all[table] = (all[table] ?? 0) + rows;
  call.note({ siteId: first.site.siteId, target: first.erasureId, details: { erased: all } });
  return {
    deleted: true,
    erased: all,
    erasureId: first.erasureId,
    erasedAt: first.erasedAt,
    backupsUntil: first.backupsUntil,
    sites: certificates,
    note: 'Keep this as the proof. Lists that were exported to other tools must follow: they are not reached from here.',
  };
}

async function exportAll(
  needs: ErasureNeeds,
  call: Call,
  { email: address, anonId: browser }: z.output<typeof exportInput>,
) {
  const { db, tables, hashAddress, publicUrl = call.origin } = needs;
  const found = [];
  const leads = [];
  for (const siteId of call.siteIds) {
    const named = address
      ? { normalized: address.normalized, hash: hashAddress(siteId, address.normalized) }
      : { visitorId: visitorIdOf(siteId, browser!) };
    const one = await everythingAbout({ db, tables, siteId, publicUrl }, named);
    if (!one) continue;
    found.push({ site: told(needs, siteId), subject: one.subject });
    if (one.leadId) leads.push(one.leadId);
    if (address) await register(needs, call, siteId, 'access', address.normalized);
  }
  const [first, ...others] = found;
  if (!first) throw unknown(call, needs);
  call.note({ siteId: first.site.siteId, target: leads[0] ?? null, details: { sites: found.length } });
  const { site, subject } = first;
  return streamedJson({ site, generatedAt: new Date().toISOString(), subject, others });
}
