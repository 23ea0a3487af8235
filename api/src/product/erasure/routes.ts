// What a person may ask for, done by an admin: everything held about them, its erasure, and later the proof of that.
import { z } from 'zod';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { anonId, siteName, utc } from '../../ground/http/fields.ts';
import { streamedJson } from '../../ground/http/json-stream.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Tables } from '../../ground/tables.ts';
import { email } from '../captures/schema.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { answered } from '../requests/register.ts';
import type { RequestKind } from '../requests/schema.ts';
import { backupsUntil, type Certificate, type EraseNeeds, eraseAt } from './erase.ts';
import type { ForgetBrowser } from './forget-browser.ts';
import { proofShape, proofsOf } from './proof.ts';
import { everythingAbout, siteShape, subjectShape } from './subject.ts';

export interface ErasureNeeds extends EraseNeeds {
  sites: SiteDirectory;
  /** Of all features. */
  tables: Tables;
  forgetBrowser: ForgetBrowser;
  publicUrl: string | undefined;
}

const subjectInput = z
  .object({
    email: email.optional(),
    anonId: anonId.optional().describe("a browser's own id (mkt.id()), for who left no address"),
    propertyId: siteName.describe("the site's key or id; without it every site of the caller"),
  })
  .refine((given) => (given.email === undefined) !== (given.anonId === undefined), {
    path: ['email'],
    message: 'give either email or anonId',
  })
  .meta({ id: 'Subject' });
type Subject = z.output<typeof subjectInput>;

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
      proof: 'fresh',
      says: 'Forgets everything about an address, or about a browser by its own id when nobody left an address in it, on one site or on every site of the caller; the answer is a certificate',
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
      run: (subject, call) => erase(needs, call, subject),
    }),
    route({
      ...common,
      at: 'POST /v1/leads/export-subject',
      id: 'exportSubject',
      proof: 'fresh',
      says: 'Everything held about an address, or about a browser by its own id; streamed, whatever its length',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: subjectInput },
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
      looks: true,
      says: 'What proof is kept of an erased address or browser: when it was forgotten, and the chain of its consent without a word of whose',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: subjectInput },
      answers: { 200: z.object({ proofs: z.array(proofShape) }) },
      async run(subject, call) {
        const proofs = [];
        const lines = [];
        for (const siteId of call.siteIds) {
          const found = await proofsOf(db, siteId, hashOf(needs, siteId, subject));
          lines.push({ ...askedAt(needs, siteId, subject), details: { proofs: found.length } });
          proofs.push(...found);
        }
        call.noteSites(lines);
        return { proofs };
      },
    }),
  ];
}

function unknown({ siteIds }: Call, { sites }: ErasureNeeds, { email: address }: Subject): AppError {
  const what = address ? 'this address' : 'this browser';
  return new AppError(
    'not_found',
    siteIds.length === 1
      ? `There is nothing about ${what} on the site ${sites.find(siteIds[0]!)?.key ?? ''}.`
      : `There is nothing about ${what} on any of your ${siteIds.length} sites.`,
  );
}

/** By which register and proof know who it was: of the address, or of the browser's id. */
const hashOf = (
  { hashAddress }: ErasureNeeds,
  siteId: string,
  { email: address, anonId: browser }: Subject,
) => hashAddress(siteId, address ? address.normalized : visitorIdOf(siteId, browser!));

/** A line of the audit log while no lead is known: whose data was asked for, by the same hash. */
const askedAt = (needs: ErasureNeeds, siteId: string, subject: Subject) => ({
  siteId,
  target: hashOf(needs, siteId, subject).replace('\\x', ''),
});

function told({ sites }: ErasureNeeds, siteId: string): z.output<typeof siteShape> {
  const { key, name } = sites.find(siteId)!;
  return { siteId, key, name };
}

/** Into the register: the open request of this kind, or an entry made and answered now. */
const register = ({ db }: ErasureNeeds, call: Call, siteId: string, kind: RequestKind, emailHash: string) =>
  inSites(db, siteId, (tx) =>
    answered(tx, {
      siteId,
      kind,
      emailHash,
      receivedAt: call.receivedAt.toISOString(),
    }),
  );

/** Of one site. returns  null when nothing was known; 'somebodys' when an address was left in that browser, and nothing was done */
async function eraseSubject(
  needs: ErasureNeeds,
  call: Call,
  siteId: string,
  subject: Subject,
): Promise<Certificate | 'somebodys' | null> {
  if (subject.email) return eraseAt(needs, siteId, subject.email.normalized, call.receivedAt);
  const hash = hashOf(needs, siteId, subject);
  const visitorId = visitorIdOf(siteId, subject.anonId!);
  const { found, isSomebodys, ...done } = await needs.forgetBrowser({ siteId, visitorId, hash });
  if (isSomebodys) return 'somebodys';
  if (!found) return null;
  await register(needs, call, siteId, 'erasure', hash);
  return { ...done, backupsUntil: backupsUntil(done.erasedAt, needs.backupDays) };
}

const KEEP_IT =
  'Keep this as the proof. Lists that were exported to other tools must follow: they are not reached from here.';

async function erase(needs: ErasureNeeds, call: Call, subject: Subject) {
  call.noteSites(call.siteIds.map((siteId) => askedAt(needs, siteId, subject)));
  const certificates = [];
  const leftOut: string[] = [];
  for (const siteId of call.siteIds) {
    const done = await eraseSubject(needs, call, siteId, subject);
    if (done === 'somebodys') leftOut.push(told(needs, siteId).key);
    else if (done) certificates.push({ site: told(needs, siteId), ...done });
  }
  const [first] = certificates;
  const somebodys = `Somebody left an address in this browser (${leftOut.join(', ')}): find the lead, and erase by its address. Whose visits they were the id alone does not tell.`;
  if (!first && leftOut.length > 0)
    throw new AppError('conflict', somebodys, {
      issues: [{ path: 'anonId', message: 'is the browser of a lead' }],
    });
  if (!first) throw unknown(call, needs, subject);
  const all: Record<string, number> = {};
  for (const one of certificates)
    for (const [table, rows] of Object.entries(one.erased)) all[table] = (all[table] ?? 0) + rows;
  call.noteSites(
    certificates.map(({ site: { siteId }, erasureId, erased: rows }) => ({
      siteId,
      target: erasureId,
      details: { erased: rows },
    })),
  );
  return {
    deleted: true,
    erased: all,
    erasureId: first.erasureId,
    erasedAt: first.erasedAt,
    backupsUntil: first.backupsUntil,
    sites: certificates,
    note: [KEEP_IT, ...(leftOut.length > 0 ? [somebodys] : [])].join(' '),
  };
}

async function exportAll(needs: ErasureNeeds, call: Call, asked: Subject) {
  const { email: address, anonId: browser } = asked;
  call.noteSites(call.siteIds.map((siteId) => askedAt(needs, siteId, asked)));
  const { db, tables, publicUrl = call.origin } = needs;
  const found = [];
  const lines = [];
  for (const siteId of call.siteIds) {
    const hash = hashOf(needs, siteId, asked);
    const named = address
      ? { normalized: address.normalized, hash }
      : { visitorId: visitorIdOf(siteId, browser!), hash };
    const one = await everythingAbout({ db, tables, siteId, publicUrl }, named);
    if (!one) continue;
    found.push({ site: told(needs, siteId), subject: one.subject });
    lines.push({ ...askedAt(needs, siteId, asked), ...(one.leadId ? { target: one.leadId } : {}) });
    await register(needs, call, siteId, 'access', hash);
  }
  const [first, ...others] = found;
  if (!first) throw unknown(call, needs, asked);
  call.noteSites(lines);
  const { site, subject } = first;
  return streamedJson({ site, generatedAt: new Date().toISOString(), subject, others });
}
