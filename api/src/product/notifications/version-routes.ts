// What a notification said in each of its versions: GET …/notifications/{id}/versions.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { findNotification, listVersions } from './queries.ts';
import { versionShape } from './schema.ts';
import { unknownNotification } from './unknown.ts';

export function versionRoutes({ db }: { db: Pool }): Route[] {
  return [
    route({
      at: 'GET /v1/sites/:siteId/notifications/:notificationId/versions',
      id: 'listNotificationVersions',
      says: 'What a notification said in each of its versions, and who made which when; the newest first',
      tag: 'notifications',
      who: 'settings',
      of: 'path',
      shows: 'no people',
      takes: { as: 'query', shape: z.object(paging(20, 100)) },
      answers: { 200: z.object({ versions: z.array(versionShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const before = readCursor(cursor, z.tuple([z.int32()]))?.[0] ?? null;
        const { siteId } = call.site;
        const { notificationId } = call.params;
        const rows = await inSites(db, siteId, async (tx) => {
          if (!(await findNotification(tx, siteId, notificationId!))) throw unknownNotification();
          return listVersions(tx, siteId, notificationId!, before, limit + 1);
        });
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.version]);
        return { versions: page, nextCursor: next };
      },
    }),
  ];
}
