// The filters behind a segment's id, for whoever asks numbers of it.
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { findSegment } from './queries.ts';

/**
 * db      inside inSites of this site
 * userId  whose own may be meant; null: only those of the site
 * throws  invalid_request with path segment, when there is none for them
 */
export async function filtersOf(
  db: Db,
  siteId: string,
  segmentId: string,
  userId: string | null,
): Promise<readonly string[]> {
  const segment = await findSegment(db, siteId, segmentId, userId);
  if (segment) return segment.filters;
  throw new AppError(
    'invalid_request',
    'There is no segment with this id. GET /v1/sites/{siteId}/segments lists them.',
    {
      issues: [{ path: 'segment', message: 'is not known' }],
    },
  );
}

/** Of a shared view: what it may show. throws  forbidden, when the segment is gone: then it shows nothing */
export async function filtersOfShare(db: Db, siteId: string, segmentId: string): Promise<readonly string[]> {
  const segment = await findSegment(db, siteId, segmentId, null);
  if (segment) return segment.filters;
  throw new AppError('forbidden', 'What this link shows was deleted. Ask whoever sent it for a new one.');
}

/** Whether it is one of the site's, which may be shared. */
export const isSegment = async (db: Db, siteId: string, segmentId: string): Promise<boolean> =>
  (await findSegment(db, siteId, segmentId, null)) !== null;
