// What became of notifications: of one, and of a site's all.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { day, nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { isWindow } from '../metrics/reports/window.ts';
import { notificationIds, oneNotification } from '../notifications/at-work.ts';
import { unknownNotification } from '../notifications/unknown.ts';
import { numbersShape, readNumbers } from './numbers.ts';

interface Needs {
  db: Pool;
  retentionDays: number;
}

const days = { start: day, end: day };
const isSpan = ({ start, end }: { start: string; end: string }, context: Parameters<typeof isWindow>[2]) =>
  isWindow(start, end, context, ['start', 'end']);

export function numbersRoutes({ db, retentionDays }: Needs): Route[] {
  const common = { tag: 'notifications', who: 'numbers', of: 'path', shows: 'no people' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/notifications/:notificationId/numbers',
      id: 'getNotificationNumbers',
      says: 'How often a notification was seen in a window of days, by how many people, what they did with it, and its lift, where a test with a control arm knows it',
      takes: { as: 'query', shape: z.object(days).superRefine(isSpan) },
      answers: { 200: z.object({ numbers: numbersShape }) },
      async run({ start, end }, call) {
        const { site } = call;
        return inSites(db, site.siteId, async (tx) => {
          const found = await oneNotification(tx, site.siteId, call.params.notificationId!);
          if (!found) throw unknownNotification();
          const ids = [found.notificationId];
          const [numbers] = await readNumbers(tx, site, ids, { start, end }, retentionDays, call.receivedMs);
          return { numbers };
        });
      },
    }),
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/notification-numbers',
      id: 'listNotificationNumbers',
      says: 'The same of every notification of a site, the newest first',
      takes: { as: 'query', shape: z.object({ ...days, ...paging(50, 100) }).superRefine(isSpan) },
      answers: { 200: z.object({ numbers: z.array(numbersShape), nextCursor }) },
      async run({ start, end, limit, cursor }, call) {
        const { site } = call;
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        return inSites(db, site.siteId, async (tx) => {
          const found = await notificationIds(tx, site.siteId, after, limit + 1);
          const { page, nextCursor: next } = pageOf(found, limit, (last) => [last]);
          const window = { start, end };
          const numbers = await readNumbers(tx, site, page, window, retentionDays, call.receivedMs);
          return { numbers, nextCursor: next };
        });
      },
    }),
  ];
}
