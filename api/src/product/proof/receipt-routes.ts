// Receipts: what a notification said, for anybody (as data and as a page), and the rows behind it for the site's own people.
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { permissionsOf } from '../display/display.ts';
import { type Notification, notificationThen, oneNotification } from '../notifications/at-work.ts';
import type { Built } from './build.ts';
import { countClaim, said } from './claims.ts';
import { evidenceOf, stillStands } from './evidence.ts';
import type { Feeds } from './feeds.ts';
import { receiptPage } from './receipt-page.ts';
import {
  claimedBy,
  findReceipt,
  type Kept,
  listKeys,
  type Receipt,
  readId,
  receiptShape,
  type Shown,
  shownShape,
  writeId,
} from './receipts.ts';
import { canonical, isSignedBy } from './signing.ts';

export interface ReceiptNeeds {
  db: Pool;
  sites: { ids(): string[]; find(siteId: string): Site | undefined };
  feeds: Pick<Feeds, 'built'>;
}

const unknown = () =>
  new AppError('not_found', 'There is no receipt with this id; receipts are kept for 24 months.');
const gone = () =>
  new AppError(
    'gone',
    'What this receipt was of may not be shown any more: its person said so, or it was cancelled, refunded or taken back.',
  );

interface Found {
  kept: Kept;
  then: Notification;
  receipt: Receipt;
}

/** throws  not_found, gone; internal_error when what is kept is not what was signed */
async function find(
  { db, sites }: Pick<ReceiptNeeds, 'db' | 'sites'>,
  text: string,
  siteIds = sites.ids(),
): Promise<Found> {
  const id = readId(text);
  if (!id || siteIds.length === 0) throw unknown();
  return inSites(db, siteIds, async (tx) => {
    const kept = await findReceipt(tx, id);
    if (!kept) throw unknown();
    const then = await notificationThen(tx, kept.siteId, kept.notificationId, kept.version);
    if (!then) throw unknown();
    const isAct = then.kind === 'recent_activity' || then.kind === 'review';
    if (isAct && kept.leadId === null) throw gone();
    // of a review its own permission decides, newer than another that was taken back: see stillStands()
    if (kept.leadId !== null && kept.reviewId === null) {
      const permission = (await permissionsOf(tx, kept.siteId, [kept.leadId])).get(kept.leadId);
      if (permission?.action === 'withdrawn') throw gone();
    }
    const claimed = claimedBy(kept);
    if (!isSignedBy(kept.publicKey, canonical(claimed), kept.signature))
      throw new Error(`receipt ${text} is not what was signed`);
    return {
      kept,
      then,
      receipt: { ...claimed, signature: kept.signature.toString('base64url'), keyId: kept.keyId },
    };
  });
}

/** The same number for as long as a feed may be kept: nothing is counted anew for each of those who look. */
const RECOUNT_HOLDS_MS = 15_000;
type Now = NonNullable<Shown['now']>;
type Recount = (siteId: string, then: Notification, built: Built | undefined) => Promise<Now>;

/** What a claim gives now; counted again when its site's feed was built anew, as after what was taken back. */
function recounting(db: Pool): Recount {
  const known = new LRUCache<string, Promise<Now>>({ max: 1000, ttl: RECOUNT_HOLDS_MS });
  return (siteId, then, built) => {
    const key = [siteId, then.notificationId, then.version, built?.asOf.getTime()].join(' ');
    const before = known.get(key);
    if (before) return before;
    const at = new Date();
    const count = inSites(db, siteId, (tx) => countClaim(tx, siteId, then, at));
    const now = count.then((counted) => ({ value: said(counted, 'en').value, asOf: at.toISOString() }));
    known.set(key, now);
    now.catch(() => known.delete(key));
    return now;
  };
}

async function show(
  needs: ReceiptNeeds,
  recount: Recount,
  text: string,
): Promise<Shown & Found & { site: Site | undefined }> {
  const found = await find(needs, text);
  const { siteId, notificationId, receiptId, leadId } = found.kept;
  const { then } = found;
  const isEnded = await inSites(needs.db, siteId, async (tx) => {
    if ((await stillStands(tx, found.kept)) === false) throw gone();
    return (await oneNotification(tx, siteId, notificationId))?.status === 'ended';
  });
  const site = needs.sites.find(siteId);
  const built = site && (await needs.feeds.built(site));
  const isShown = built?.cards.some(({ receipt }) => receipt === writeId(receiptId));
  const status = isEnded ? 'withdrawn' : isShown ? 'current' : 'superseded';
  const now = then.claim && leadId === null ? await recount(siteId, then, built) : null;
  return { ...found, status, now, site };
}

export function receiptRoutes(needs: ReceiptNeeds): Route[] {
  const { db } = needs;
  const recount = recounting(db);
  const common = { tag: 'social proof', who: 'anyone' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/proof/:receiptRef',
      id: 'getReceipt',
      says: 'What a notification said, counted when and how, signed; 410 gone once its person withdrew',
      answers: { 200: shownShape },
      async run(_input, call) {
        const { receipt, status, now } = await show(needs, recount, call.params.receiptRef!);
        return new Reply(
          200,
          { receipt, status, now },
          { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-cache' },
        );
      },
    }),
    route({
      ...common,
      ...SHOW_RECEIPT,
      id: 'showReceipt',
      says: 'The same as a page for people',
      answers: { 200: { says: 'The page', type: 'text/html' } },
      async run(_input, call) {
        const shown = await show(needs, recount, call.params.receiptRef!);
        if (shown.site) call.speaksFor(shown.site);
        return receiptPage(call, shown);
      },
    }),
    route({
      ...common,
      at: 'GET /.well-known/proof-keys.json',
      id: 'listProofKeys',
      says: 'The public keys that sign receipts, also those of before a rotation',
      answers: {
        200: z.object({
          keys: z.array(
            z.object({
              kid: z.string(),
              kty: z.literal('OKP').meta({ override: { enum: ['OKP'] } }),
              crv: z.string(),
              x: z.string(),
              firstUsedAt: utc,
            }),
          ),
        }),
      },
      async run() {
        const keys = (await listKeys(db)).map(({ keyId, publicKey, firstUsedAt }) => ({
          kid: keyId,
          kty: 'OKP' as const,
          crv: 'Ed25519',
          x: publicKey.toString('base64url'),
          firstUsedAt: firstUsedAt.toISOString(),
        }));
        return new Reply(
          200,
          { keys },
          { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=3600' },
        );
      },
    }),
    route({
      at: 'GET /v1/sites/:siteId/receipts/:receiptRef/evidence',
      id: 'getReceiptEvidence',
      says: 'The rows behind a receipt, and its value counted again for the same window',
      tag: 'social proof',
      who: 'evidence',
      of: 'path',
      takes: { as: 'query', shape: z.object(paging(500, 500)) },
      answers: {
        200: z.object({
          receipt: receiptShape,
          receiptId: z.string(),
          recounted: z.int().nullable(),
          rows: z
            .array(z.string())
            .describe(
              'ids of conversions, leads, reviews or visitors; days, where a number is a sum of days',
            ),
          hasMore: z.boolean().describe('more rows than these: ask with `nextCursor`'),
          nextCursor,
        }),
      },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.string().max(300)]))?.[0] ?? null;
        const { siteId } = call.site;
        const { kept, then, receipt } = await find(needs, call.params.receiptRef!, [siteId]);
        call.note({ target: writeId(kept.receiptId) });
        const evidence = await inSites(db, siteId, (tx) => evidenceOf(tx, kept, then, after, limit));
        const { page, nextCursor: next } = pageOf(evidence.rows, limit, (last) => [last]);
        return {
          receipt,
          receiptId: writeId(kept.receiptId),
          recounted: evidence.recounted,
          rows: page,
          hasMore: next !== null,
          nextCursor: next,
        };
      },
    }),
  ];
}

export const SHOW_RECEIPT = { at: 'GET /proof/:receiptRef', tells: 'link' } as const;
