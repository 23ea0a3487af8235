// Segments of a site: listed, made, changed, deleted.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import {
  deleteSegment,
  findStale,
  insertSegment,
  listSegments,
  lockSegment,
  type SegmentRow,
  updateSegment,
} from './queries.ts';
import { newSegment, SEGMENTS_MAX, type Segment, segmentPatch, segmentShape } from './schema.ts';

export interface SegmentNeeds {
  db: Pool;
}

const AT = '/v1/sites/:siteId/segments';
const BODY_BYTES_MAX = 64 * 1024;
const common = { tag: 'segments', of: 'path' } as const;
const one = z.object({ segment: segmentShape });

const userOf = ({ caller }: Call): string | null => caller.person?.userId ?? null;

/** What is one person's alone is theirs; what the site shares, that of people who tell it more than they read, and of programs of the site’s. */
function mayHandle({ caller, site: { siteId } }: Call, userId: string | null): boolean {
  if (userId !== null) return userId === caller.person?.userId;
  return caller.may(caller.person ? 'spend' : 'segments', siteId);
}

/** throws  forbidden, with what this caller may do instead */
function mustHandle(call: Call, userId: string | null): void {
  if (mayHandle(call, userId)) return;
  throw new AppError(
    'forbidden',
    call.caller.person
      ? 'Segments for everybody are those of owners, admins and analysts. Make one for yourself: {"scope": "mine"}.'
      : 'This key keeps no segments. Ask for one of scope admin.',
  );
}

async function shown(db: Db, call: Call, rows: readonly SegmentRow[]): Promise<Segment[]> {
  const stale = await findStale(
    db,
    call.site.siteId,
    rows.flatMap(({ filters }) => filters),
  );
  return rows.map(({ userId, ...segment }) => ({
    ...segment,
    stale: segment.filters.filter((text) => stale.has(text)),
    mayChange: call.caller.may('segments', call.site.siteId) && mayHandle(call, userId),
  }));
}

export function segmentRoutes({ db }: SegmentNeeds): Route[] {
  /** Of the version that is named, under its lock. throws  not_found, forbidden, precondition_failed */
  function change<T>(call: Call, work: (tx: Db, segment: SegmentRow) => Promise<T>): Promise<T> {
    const { siteId } = call.site;
    const segmentId = call.params.segmentId!;
    call.note({ target: segmentId });
    return inSites(db, siteId, async (tx) => {
      const segment = await lockSegment(tx, siteId, segmentId, userOf(call));
      if (!segment) throw new AppError('not_found', 'There is no segment with this id.');
      mustHandle(call, segment.userId);
      checkVersion(call, segment.version);
      return work(tx, segment);
    });
  }

  return [
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listSegments',
      says: 'Segments of a site, one’s own among them, by name; which of their values no visit had lately',
      who: 'numbers',
      shows: 'no people',
      answers: { 200: z.object({ segments: z.array(segmentShape) }) },
      run: (_input, call) =>
        inSites(db, call.site.siteId, async (tx) => ({
          segments: await shown(tx, call, await listSegments(tx, call.site.siteId, userOf(call))),
        })),
    }),
    route({
      ...common,
      at: `POST ${AT}`,
      id: 'createSegment',
      says: 'Keeps filters under a name: for everybody who sees the numbers, or for oneself alone',
      who: 'segments',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newSegment },
      answers: { 201: one },
      async run({ name, filters, scope }, call) {
        const { siteId } = call.site;
        const userId = scope === 'mine' ? userOf(call) : null;
        if (scope === 'mine' && userId === null)
          throw new AppError('invalid_request', 'Only who signed in has segments of their own.', {
            issues: [{ path: 'scope', message: 'of a program: site' }],
          });
        mustHandle(call, userId);
        const row = { siteId, name, filters, userId, madeBy: call.caller.actor };
        const segment = await inSites(db, siteId, async (tx) => {
          const made = await insertSegment(tx, row, SEGMENTS_MAX[scope]);
          return made && (await shown(tx, call, [made]))[0]!;
        });
        if (!segment)
          throw new AppError(
            'conflict',
            scope === 'mine'
              ? `You have ${SEGMENTS_MAX.mine} segments at this site, which is the most. Delete one first.`
              : `A site has ${SEGMENTS_MAX.site} segments at most. Delete one first.`,
          );
        call.note({ target: segment.segmentId, details: { scope } });
        return created({ segment });
      },
    }),
    route({
      ...common,
      at: `PATCH ${AT}/:segmentId`,
      id: 'updateSegment',
      says: 'Changes the name or filters of a segment; needs If-Match with its version. Whom it is for stays',
      who: 'segments',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: segmentPatch },
      answers: { 200: one },
      async run(patch, call) {
        call.note({ details: { changed: Object.keys(patch) } });
        return change(call, async (tx, { segmentId }) => {
          const changed = await updateSegment(tx, call.site.siteId, segmentId, patch);
          return { segment: (await shown(tx, call, [changed]))[0]! };
        });
      },
    }),
    route({
      ...common,
      at: `DELETE ${AT}/:segmentId`,
      id: 'deleteSegment',
      says: 'Deletes a segment; needs If-Match with its version. Links that show it show nothing any more',
      who: 'segments',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        await change(call, (tx, { segmentId }) => deleteSegment(tx, call.site.siteId, segmentId));
        return {};
      },
    }),
  ];
}
