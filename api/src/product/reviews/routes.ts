// Reviews: sent by people like any form, read and decided by the site's own, brought in from elsewhere.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion, versioned } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { CAPTURE_BYTES_MAX, type CaptureNeeds, FILES_BYTES_MAX, receive } from '../captures/receive.ts';
import { capturedShape } from '../captures/schema.ts';
import { type DisplayWithdrawal, publishWanted, recordDisplay } from '../display/display.ts';
import { importReviews, reviewImport, reviewImportReport } from './import.ts';
import { averageOf, findReview, listReviews, lockReview, updateReview } from './queries.ts';
import {
  averageShape,
  type Review,
  type ReviewPatch,
  reviewForm,
  reviewInput,
  reviewPatch,
  reviewShape,
  STATUSES,
} from './schema.ts';
import { reviewErrand } from './submit.ts';

const IMPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface ReviewNeeds extends CaptureNeeds {
  db: Pool;
  hashAddress(siteId: string, normalized: string): string;
  /** Takes it back now, or puts it into the journal while the database is away. */
  withdrawDisplay(request: DisplayWithdrawal): Promise<void>;
}

export const CAPTURE_REVIEW = { at: 'POST /v1/reviews', tells: 'form' } as const;
const one = z.object({ review: reviewShape });
const AT = '/v1/sites/:siteId/reviews';

export function reviewRoutes(needs: ReviewNeeds): Route[] {
  const { db, hashAddress, withdrawDisplay } = needs;
  const common = { tag: 'reviews', of: 'path' } as const;
  return [
    route({
      ...CAPTURE_REVIEW,
      id: 'captureReview',
      says: 'Takes a review, from a script or from a plain HTML form, sifted as a lead is; its person becomes a lead nobody may mail',
      tag: 'reviews',
      who: 'anyone',
      takes: {
        as: ['json', 'form'],
        bytesMax: CAPTURE_BYTES_MAX,
        filesBytesMax: FILES_BYTES_MAX,
        documents: reviewInput,
        formDocuments: reviewForm,
      },
      bucket: 'capture',
      counts: 'capture',
      answers: {
        200: capturedShape,
        303: { says: 'A form: on to the page it names on its own site, or to our thank-you page' },
        400: { says: 'A form whose address is mistyped: a page to mend it', type: 'text/html' },
      },
      run: (_body, call) => receive(needs, call, reviewErrand),
    }),
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listReviews',
      says: 'Reviews of a site, the newest first, and the average of every one that is not declined',
      who: 'leads',
      takes: {
        as: 'query',
        shape: z.object({
          status: z.enum(STATUSES).optional(),
          product: z.string().trim().min(1).max(200).optional().describe('of the average too'),
          source: z.string().trim().min(1).max(64).optional(),
          ...paging(50, 100),
        }),
      },
      answers: { 200: z.object({ reviews: z.array(reviewShape), average: averageShape, nextCursor }) },
      async run({ limit, cursor, ...filter }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, z.tuple([z.iso.datetime(), z.uuid()]));
        return inSites(db, siteId, async (tx) => {
          const rows = await listReviews(
            tx,
            siteId,
            filter,
            after && { at: after[0], reviewId: after[1] },
            limit + 1,
          );
          const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.writtenAt, last.reviewId]);
          const average = await averageOf(tx, siteId, filter.product ?? null);
          return { reviews: page, average, nextCursor: next };
        });
      },
    }),
    route({
      ...common,
      at: `POST ${AT}/import`,
      id: 'importReviews',
      says: 'Takes over reviews from elsewhere, with their source and date; dryRun tells what would happen',
      who: 'settings',
      takes: { as: ['json'], bytesMax: IMPORT_BYTES_MAX, shape: reviewImport },
      answers: { 200: reviewImportReport },
      async run(input, call) {
        const { siteId } = call.site;
        const report = await importReviews(db, siteId, input, (normalized) =>
          hashAddress(siteId, normalized),
        );
        call.note({ details: { dryRun: input.dryRun, source: input.source, ...report.counts } });
        return report;
      },
    }),
    route({
      ...common,
      at: `GET ${AT}/:reviewId`,
      id: 'getReview',
      says: 'Shows a review; its ETag is its version',
      who: 'leads',
      answers: { 200: one },
      async run(_input, call) {
        const { siteId } = call.site;
        const review = await inSites(db, siteId, (tx) => existing(tx, siteId, call));
        return versioned(review.version, { review });
      },
    }),
    route({
      ...common,
      at: `PATCH ${AT}/:reviewId`,
      id: 'updateReview',
      says: 'Publishes or declines a review, or adds what must be said beside it; its words never change; needs If-Match',
      who: 'settings',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: reviewPatch },
      answers: { 200: one },
      async run(patch, call) {
        const { siteId } = call.site;
        const changes = { changes: Object.keys(patch), status: patch.status, reason: patch.reason };
        call.note({ target: call.params.reviewId!, details: changes });
        await inSites(db, siteId, (tx) => change(tx, siteId, call, patch));
        const read = () => inSites(db, siteId, (tx) => existing(tx, siteId, call));
        const changed = await read();
        if (patch.permission !== null) return versioned(changed.version, { review: changed });
        await withdrawDisplay({
          site_id: siteId,
          at: call.receivedAt.toISOString(),
          basis: 'admin',
          lead_id: changed.leadId!,
        });
        const review = await read();
        return versioned(review.version, { review });
      },
    }),
  ];
}

async function existing(db: Db, siteId: string, call: Call): Promise<Review> {
  const review = await findReview(db, siteId, call.params.reviewId!);
  if (review) return review;
  throw new AppError('not_found', 'This site has no review with this id.');
}

const cannot = (message: string) => new AppError('conflict', message);

async function change(db: Db, siteId: string, call: Call, patch: ReviewPatch): Promise<void> {
  const reviewId = call.params.reviewId!;
  await lockReview(db, siteId, reviewId);
  const before = await existing(db, siteId, call);
  checkVersion(call, before.version);
  const { permission, status } = patch;
  if (permission !== undefined && before.leadId === null)
    throw cannot(
      'Nobody of yours wrote this one, so nobody can allow or forbid it. It counts, and is not published.',
    );
  if (permission) {
    const { receivedAt, how, ...given } = permission;
    if (before.text === null) throw cannot('It has no words that could be published.');
    const wanted = publishWanted(
      given,
      { reviewId, words: before.text, evidence: how },
      { basis: 'admin', occurredAt: new Date(receivedAt).toISOString() },
    );
    if (!(await recordDisplay(db, siteId, before.leadId!, wanted!)))
      throw cannot(
        'A later word of theirs stands, or another permission of that time: this one changes nothing.',
      );
  }
  if (status === 'published') {
    const now = permission ? await existing(db, siteId, call) : before;
    if (now.text === null) throw cannot('It has no words that could be published.');
    if (now.permission !== 'granted')
      throw cannot(
        'Whoever wrote it has not allowed these words to be published. Ask them, and say in `permission` what they answered in writing.',
      );
  }
  await updateReview(db, siteId, reviewId, patch, call.caller.actor);
}
