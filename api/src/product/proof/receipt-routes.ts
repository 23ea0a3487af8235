// Receipts: what a notification said, for anybody (as data and as a page), and the rows behind it for the site's own people.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { utc } from '../../ground/http/fields.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { permissionsOf } from '../display/display.ts';
import { type Notification, notificationThen, oneNotification } from '../notifications/at-work.ts';
import { countClaim, said } from './claims.ts';
import { evidenceOf } from './evidence.ts';
import { receiptWords } from './receipt-words.ts';
import {
  claimedBy,
  findReceipt,
  type Kept,
  listKeys,
  newestReceipt,
  type Receipt,
  readId,
  receiptShape,
  writeId,
} from './receipts.ts';
import { isPublished } from './reviews.ts';
import { canonical, isSignedBy } from './signing.ts';

export interface ReceiptNeeds {
  db: Pool;
  sites: { ids(): string[]; find(siteId: string): Site | undefined };
}

const status = z.enum(['current', 'superseded', 'withdrawn']);
const answer = z.object({
  receipt: receiptShape,
  status: status.describe(
    'withdrawn: the notification has ended; whose person took their permission back is 410 gone',
  ),
  now: z
    .object({ value: z.int(), asOf: utc })
    .nullable()
    .describe('the same claim counted again; null: not counted, or of one act'),
});
type Shown = z.output<typeof answer>;

const unknown = () =>
  new AppError('not_found', 'There is no receipt with this id; receipts are kept for 24 months.');
const gone = () =>
  new AppError(
    'gone',
    'The person whose act this was no longer allows it to be shown, or it was taken back.',
  );

interface Found {
  kept: Kept;
  then: Notification;
  receipt: Receipt;
}

/** throws  not_found, gone; internal_error when what is kept is not what was signed */
async function find({ db, sites }: ReceiptNeeds, text: string, siteIds = sites.ids()): Promise<Found> {
  const id = readId(text);
  if (!id || siteIds.length === 0) throw unknown();
  return inSites(db, siteIds, async (tx) => {
    const kept = await findReceipt(tx, id);
    if (!kept) throw unknown();
    const then = await notificationThen(tx, kept.siteId, kept.notificationId, kept.version);
    if (!then) throw unknown();
    const isAct = then.kind === 'recent_activity' || then.kind === 'review';
    if (isAct && kept.leadId === null) throw gone();
    if (kept.reviewId !== null && !(await isPublished(tx, kept.siteId, kept.reviewId))) throw gone();
    if (kept.leadId !== null && kept.reviewId === null) {
      const permission = (await permissionsOf(tx, kept.siteId, [kept.leadId])).get(kept.leadId);
      if (permission?.action === 'withdrawn') throw gone();
    }
    const claimed = claimedBy(then, kept);
    if (!isSignedBy(kept.publicKey, canonical(claimed), kept.signature))
      throw new Error(`receipt ${text} is not what was signed`);
    return {
      kept,
      then,
      receipt: { ...claimed, signature: kept.signature.toString('base64url'), keyId: kept.keyId },
    };
  });
}

async function show(needs: ReceiptNeeds, text: string): Promise<Shown & { site: Site | undefined }> {
  const { kept, then, receipt } = await find(needs, text);
  const { siteId, notificationId, receiptId, leadId, version } = kept;
  const state = await inSites(needs.db, siteId, async (tx) => {
    const now = await oneNotification(tx, siteId, notificationId);
    const newest = await newestReceipt(tx, siteId, notificationId);
    const isNewest = leadId !== null || (newest?.receiptId.equals(receiptId) ?? false);
    const at = new Date();
    const value =
      then.claim && leadId === null ? said(await countClaim(tx, siteId, then, at), 'en').value : null;
    return {
      status:
        now?.status === 'ended'
          ? 'withdrawn'
          : isNewest && now?.version === version
            ? 'current'
            : 'superseded',
      now: value === null ? null : { value, asOf: at.toISOString() },
    } as const;
  });
  return { receipt, ...state, site: needs.sites.find(siteId) };
}

export function receiptRoutes(needs: ReceiptNeeds): Route[] {
  const { db } = needs;
  const common = { tag: 'social proof', who: 'anyone' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/proof/:receiptRef',
      id: 'getReceipt',
      says: 'What a notification said, counted when and how, signed; 410 gone once its person withdrew',
      answers: { 200: answer },
      async run(_input, call) {
        const { site: _, ...shown } = await show(needs, call.params.receiptRef!);
        return new Reply(200, shown, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-cache' });
      },
    }),
    route({
      ...common,
      ...SHOW_RECEIPT,
      id: 'showReceipt',
      says: 'The same as a page for people',
      answers: { 200: { says: 'The page', type: 'text/html' } },
      async run(_input, call) {
        const shown = await show(needs, call.params.receiptRef!);
        if (shown.site) call.speaksFor(shown.site);
        const words = receiptWords(call.language);
        const { receipt } = shown;
        const row = (name: string, value: string | number | null | undefined) =>
          value !== null && value !== undefined && html`<dt>${name}</dt><dd>${value}</dd>`;
        const day = (at: string) => at.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC');
        return page(
          call,
          200,
          words.title,
          html`<blockquote lang="${receipt.language}">${receipt.text}</blockquote><p>${words.status[shown.status]}</p><dl>${row(words.by, shown.site?.name || shown.site?.key)}${row(words.basis, words.bases[receipt.basis])}${row(words.rule, receipt.rule)}${row(words.value, receipt.value)}${receipt.window && row(words.window, `${day(receipt.window.from)} – ${day(receipt.window.to)}`)}${row(words.minimum, receipt.minimum)}${receipt.excluded && row(words.excluded, words.left(receipt.excluded))}${row(words.asOf, day(receipt.asOf))}${shown.now && row(words.now, shown.now.value)}${receipt.source && html`<dt>${words.source}</dt><dd><a href="${receipt.source.url}" rel="noopener nofollow">${receipt.source.url}</a> (${receipt.source.statedOn})</dd>`}</dl><p class="soft">${words.signed(receipt.keyId)} <a href="/v1/proof/${call.params.receiptRef!}">${words.data}</a></p>`,
        );
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
          hasMore: z.boolean().describe('more rows than these 500'),
        }),
      },
      async run(_input, call) {
        const { siteId } = call.site;
        const { kept, then, receipt } = await find(needs, call.params.receiptRef!, [siteId]);
        call.note({ target: writeId(kept.receiptId) });
        const evidence = await inSites(db, siteId, (tx) => evidenceOf(tx, kept, then));
        return { receipt, receiptId: writeId(kept.receiptId), ...evidence };
      },
    }),
  ];
}

export const SHOW_RECEIPT = { at: 'GET /proof/:receiptRef', tells: 'link' } as const;
