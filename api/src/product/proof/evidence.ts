// The rows behind a receipt, for the site's own people: counted again for its window, from what is stored now.
import type { Db } from '../../ground/db/pool.ts';
import type { Notification } from '../notifications/at-work.ts';
import { countClaim, KIND_OF, said, windowOf } from './claims.ts';
import { claimedReviews, REVIEW_IDS } from './count-reviews.ts';
import type { Kept } from './receipts.ts';

const ROWS_MAX = 500;

export interface Evidence {
  /** null: the owner's words. */
  recounted: number | null;
  rows: string[];
  hasMore: boolean;
}

/** Inside inSites. */
export async function evidenceOf(db: Db, kept: Kept, notification: Notification): Promise<Evidence> {
  const { claim } = notification;
  if (!claim) return { recounted: null, rows: [], hasMore: false };
  if (kept.reviewId) return { recounted: 1, rows: [kept.reviewId], hasMore: false };
  if (kept.leadId) return { recounted: 1, rows: [kept.leadId], hasMore: false };
  const counted = await countClaim(db, kept.siteId, notification, kept.asOf);
  const ids = await rowsOf(db, kept, notification);
  return {
    recounted: said(counted, 'en').value,
    rows: ids.slice(0, ROWS_MAX),
    hasMore: ids.length > ROWS_MAX,
  };
}

/** Ids of the rows where each is one; days of the site where a number is a sum of days. */
async function rowsOf(db: Db, { siteId, asOf }: Kept, { kind, claim }: Notification): Promise<string[]> {
  const { from } = windowOf(kind, claim!, asOf);
  const { of, where } = claim!;
  const limit = ROWS_MAX + 1;
  const list = async (sql: string, values: unknown[]) =>
    (
      await db.query<{ id: string }>(`select id from (${sql}) found order by id limit ${limit}`, values)
    ).rows.map(({ id }) => id);
  if (kind === 'live_visitors')
    return list(
      `select distinct visitor_id::text as id from events where site_id = $1 and occurred_at >= $2 and occurred_at <= $3 and bot_reason is null
         and ($4::text is null or split_part(path, '?', 1) = $4)`,
      [siteId, from, asOf, where.path ?? null],
    );
  if (of in KIND_OF)
    return list(
      `select conversion_id as id from conversions where site_id = $1 and kind = $2 and origin = 'server' and voided_at is null
         and occurred_at >= $3 and occurred_at <= $4 and ($5::text is null or $5 = any (items)) and ($6::text is null or country = $6)`,
      [siteId, KIND_OF[of], from, asOf, where.product ?? null, where.country ?? null],
    );
  if (of === 'leads')
    return list(
      `select lead_id::text as id from leads where site_id = $1 and first_captured_at >= $2 and first_captured_at <= $3
         and imported_at is null and not restricted and ($4::text is null or first_form_name = $4)`,
      [siteId, from, asOf, where.form ?? null],
    );
  if (of === 'reviews') return list(REVIEW_IDS, claimedReviews(siteId, where, from, asOf));
  return list(
    'select day::text as id from daily_metric_rollups where site_id = $1 and day > site_day($1, $2) and day <= site_day($1, $3)',
    [siteId, from, asOf],
  );
}
