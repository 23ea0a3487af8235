// What lies in the archive of a site, and days of it asked back for a week.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { pageOf, readCursor } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { askForRestore, listedDays, pageOfArchives, pageOfRestores } from './queries.ts';
import { archivePage, archiveQuery, restoreInput, restorePage, restoreShape } from './schema.ts';

export interface ArchiveNeeds {
  db: Pool;
}

const AT = '/v1/sites/:siteId/archives';
const common = { tag: 'archives', who: 'settings', of: 'path' } as const;

export function archiveRoutes({ db }: ArchiveNeeds): Route[] {
  return [
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listArchives',
      says: 'Days of events that lie in the bucket as Parquet files, the newest first',
      shows: 'no people',
      takes: { as: 'query', shape: archiveQuery },
      answers: { 200: archivePage },
      async run({ limit, cursor }, { site: { siteId } }) {
        const [before] = readCursor(cursor, z.tuple([z.iso.date()])) ?? [null];
        const rows = await inSites(db, siteId, (tx) => pageOfArchives(tx, siteId, limit + 1, before));
        const { page, nextCursor } = pageOf(rows, limit, (last) => [last.day]);
        return { archives: page, nextCursor };
      },
    }),
    route({
      ...common,
      at: `GET ${AT}/restores`,
      id: 'listArchiveRestores',
      says: 'Days that were asked back from the archive, and what came of it, the newest first',
      shows: 'no people',
      takes: { as: 'query', shape: archiveQuery },
      answers: { 200: restorePage },
      async run({ limit, cursor }, { site: { siteId } }) {
        const [before] = readCursor(cursor, z.tuple([z.uuid()])) ?? [null];
        const rows = await inSites(db, siteId, (tx) => pageOfRestores(tx, siteId, limit + 1, before));
        const { page, nextCursor } = pageOf(rows, limit, (last) => [last.restoreId]);
        return { restores: page, nextCursor };
      },
    }),
    route({
      ...common,
      at: `POST ${AT}/restore`,
      id: 'restoreArchives',
      says: 'Asks for days back: a job puts their rows into the table restored_events, without whoever was erased, for seven days',
      takes: { as: ['json'], bytesMax: 4 * 1024, shape: restoreInput },
      answers: { 202: z.object({ restore: restoreShape }) },
      async run({ from, to }, call) {
        const { siteId } = call.site;
        const restore = await inSites(db, siteId, async (tx) => {
          const days = await listedDays(tx, siteId, from, to);
          if (days.length === 0)
            throw new AppError(
              'not_found',
              'No day of these is in the archive of this site: GET …/archives says which are. Days are archived where the operator names a bucket in ARCHIVE_S3_URL.',
            );
          return askForRestore(tx, siteId, from, to, call.caller.actor);
        });
        if (!restore)
          throw new AppError(
            'conflict',
            'Other days of this site are being brought back. Ask again when GET …/archives/restores says that it is done.',
          );
        call.note({ target: restore.restoreId, details: { from, to } });
        return new Reply(202, { restore });
      },
    }),
  ];
}
