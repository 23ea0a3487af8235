// Imports from other tools: begun, filled in batches, finished, undone.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import { IMPORTS_MAX } from './kinds.ts';
import { findFirstOwnDay, findImports } from './queries.ts';
import { finishImport as finishShape, importShape, newImport, newRows } from './schema.ts';
import { begin, finishImport, takeRows, undo } from './take.ts';

export interface ImportNeeds {
  db: Pool;
  metrics: MetricsCache;
}

function idOf(call: Call): string {
  const id = call.params.importId ?? '';
  if (isUuid(id)) return id;
  throw new AppError('not_found', 'There is no import with this id.');
}

export function importRoutes({ db, metrics }: ImportNeeds): Route[] {
  const common = { tag: 'imports', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/imports',
      id: 'listImports',
      says: `What was brought in from other tools, at most ${IMPORTS_MAX} a site, the newest first`,
      answers: {
        200: z.object({
          imports: z.array(importShape),
          before: z.iso
            .date()
            .describe('days before this one may be imported: from it on the site counts itself'),
        }),
      },
      run: (_input, { site: { siteId } }) =>
        inSites(db, siteId, async (tx) => ({
          imports: await findImports(tx, siteId, null),
          before: await findFirstOwnDay(tx, siteId),
        })),
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/imports',
      id: 'createImport',
      says: 'Begins an import; nothing of it is shown before it is finished',
      takes: { as: ['json'], bytesMax: 64 * 1024, shape: newImport },
      answers: { 201: z.object({ import: importShape }) },
      async run(wanted, call) {
        const { siteId } = call.site;
        const made = await inSites(db, siteId, (tx) =>
          begin(tx, siteId, { ...wanted, madeBy: call.caller.actor }),
        );
        call.note({ target: made.importId, details: { source: made.source } });
        return created({ import: made });
      },
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/imports/:importId/rows',
      id: 'storeImportRows',
      says: 'A batch of days; one sent twice counts once',
      takes: { as: ['json'], bytesMax: 1024 * 1024, shape: newRows },
      answers: { 200: z.object({ again: z.boolean().describe('the batch had come before') }) },
      async run(batch, call) {
        const { siteId } = call.site;
        return { again: !(await inSites(db, siteId, (tx) => takeRows(tx, siteId, idOf(call), batch))) };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/imports/:importId/finish',
      id: 'finishImport',
      says: 'Shows the import, when all that was read has come',
      takes: { as: ['json'], bytesMax: 4096, shape: finishShape },
      answers: { 200: z.object({ import: importShape }) },
      async run(said, call) {
        const { siteId } = call.site;
        const done = await inSites(db, siteId, (tx) => finishImport(tx, siteId, idOf(call), said));
        metrics.clear();
        call.note({ target: done.importId, details: { days: done.days, rows: done.rows } });
        return { import: done };
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/sites/:siteId/imports/:importId',
      id: 'deleteImport',
      says: 'Undoes an import: nothing of it is left',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { siteId } = call.site;
        const importId = idOf(call);
        await inSites(db, siteId, (tx) => undo(tx, siteId, importId));
        metrics.clear();
        call.note({ target: importId });
        return {};
      },
    }),
  ];
}
