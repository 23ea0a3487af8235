// Receipts of a notification, also of what it said before: GET …/notifications/{id}/receipts.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { oneNotification } from '../notifications/at-work.ts';
import { unknownNotification } from '../notifications/unknown.ts';
import { listReceipts, receiptShape, writeId } from './receipts.ts';

const listed = z
  .object({
    receiptId: z.string().describe('its page is /proof/{receiptId}'),
    ...receiptShape.pick({ text: true, version: true, value: true, window: true, asOf: true }).shape,
  })
  .meta({ id: 'ListedReceipt' });
export type ListedReceipt = z.output<typeof listed>;

/** Of acts and reviews each receipt is somebody's: found by its card alone, and gone when they take it back. */
const ofPeople = (kind: string) => kind === 'recent_activity' || kind === 'review';

export function receiptListRoute({ db }: { db: Pool }): Route {
  return route({
    at: 'GET /v1/sites/:siteId/notifications/:notificationId/receipts',
    id: 'listNotificationReceipts',
    says: 'Receipts of what a notification showed in the last 24 months, the newest first; none of single acts and reviews, each of which is of a person',
    tag: 'social proof',
    who: 'settings',
    of: 'path',
    shows: 'no people',
    takes: { as: 'query', shape: z.object(paging(20, 100)) },
    answers: { 200: z.object({ receipts: z.array(listed), nextCursor }) },
    async run({ limit, cursor }, call) {
      const before = readCursor(cursor, z.tuple([utc, z.string().regex(/^[\w-]{22}$/)]));
      const { siteId } = call.site;
      const rows = await inSites(db, siteId, async (tx) => {
        const of = await oneNotification(tx, siteId, call.params.notificationId!);
        if (!of) throw unknownNotification();
        return ofPeople(of.kind) ? [] : listReceipts(tx, siteId, of.notificationId, before, limit + 1);
      });
      const all = rows.map(({ receiptId, window, asOf, ...row }) => ({
        ...row,
        receiptId: writeId(receiptId),
        window: window && { from: window.from.toISOString(), to: window.to.toISOString() },
        asOf: asOf.toISOString(),
      }));
      const { page, nextCursor: next } = pageOf(all, limit, (last) => [last.asOf, last.receiptId]);
      return { receipts: page, nextCursor: next };
    },
  });
}
