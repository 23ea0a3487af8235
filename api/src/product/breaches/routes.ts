// The register of breaches: GET and POST /v1/admin/breaches, PATCH /v1/admin/breaches/{breachId}.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { findBreach, insertBreach, listBreaches, listChanges, lockBreach, updateBreach } from './queries.ts';
import { type Breach, breachChange, breachPatch, breachShape, newBreach } from './schema.ts';

const BODY_BYTES_MAX = 64 * 1024;
const cursorParts = z.tuple([utc, z.uuid()]);

export function breachRoutes({ db }: { db: Pool }): Route[] {
  const common = { tag: 'breaches', who: 'evidence' } as const;
  const one = z.object({ breach: breachShape });
  return [
    route({
      ...common,
      at: 'GET /v1/admin/breaches',
      id: 'listBreaches',
      says: 'The register of breaches, the latest discovered first',
      of: 'all',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ breaches: z.array(breachShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, cursorParts);
        const rows = await inSites(db, call.siteIds, (tx) => listBreaches(tx, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.discoveredAt, last.breachId]);
        return { breaches: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/admin/breaches',
      id: 'registerBreach',
      says: 'Registers a breach: of a site, or of every site of the caller',
      of: 'named or all',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newBreach },
      answers: { 201: one },
      async run({ propertyId: _, ...wanted }, call) {
        const { siteIds } = call;
        const breach = await inSites(db, siteIds, async (tx) =>
          mayStand(await insertBreach(tx, siteIds, wanted)),
        );
        call.note({ ...siteOf(breach), target: breach.breachId });
        return created({ breach });
      },
    }),
    route({
      ...common,
      at: 'GET /v1/admin/breaches/:breachId',
      id: 'getBreach',
      says: 'One breach with what its entry said before each change',
      of: 'all',
      answers: { 200: z.object({ breach: breachShape, changes: z.array(breachChange) }) },
      async run(_input, call) {
        return inSites(db, call.siteIds, async (tx) => {
          const breach = existing(await findBreach(tx, call.params.breachId!));
          call.note({ ...siteOf(breach), target: breach.breachId });
          return { breach, changes: await listChanges(tx, breach) };
        });
      },
    }),
    route({
      ...common,
      at: 'PATCH /v1/admin/breaches/:breachId',
      id: 'updateBreach',
      says: 'Adds what became known of a breach',
      of: 'all',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: breachPatch },
      answers: { 200: one },
      async run(patch, call) {
        const breachId = call.params.breachId!;
        const breach = await inSites(db, call.siteIds, async (tx) => {
          const locked = await lockBreach(tx, breachId);
          const before = existing(await findBreach(tx, breachId));
          if (locked < before.siteCount)
            throw new AppError(
              'forbidden',
              'This breach concerns sites that you do not answer for. Ask an owner to enter it.',
            );
          return mayStand(await updateBreach(tx, before, patch));
        });
        call.note({
          ...siteOf(breach),
          target: breach.breachId,
          details: { changes: Object.keys(patch) },
        });
        return { breach };
      },
    }),
  ];
}

/** Of several sites: the line in the audit log is the machine's. */
const siteOf = ({ siteId, siteCount }: Breach) => (siteCount === 1 ? { siteId } : {});

/** throws  conflict: nobody closes a breach of which somebody must be told still */
function mayStand({ breach, isUntold }: { breach: Breach; isUntold: boolean }): Breach {
  if (!breach.closedAt || !isUntold) return breach;
  throw new AppError(
    'conflict',
    'Somebody must be told of this breach still. Before closing it enter realRisk: false, or each notice and peopleToldAt, or which need not be told (authorities, tellPeople).',
  );
}

function existing(breach: Breach | null): Breach {
  if (!breach) throw new AppError('not_found', 'There is no breach with this id.');
  return breach;
}
