// The rows behind a receipt, for the site's own people: counted again for its window, from what is stored now.
import type { Db } from '../../ground/db/pool.ts';
import { converterIs, senderIs } from '../bots/people.ts';
import type { Notification } from '../notifications/at-work.ts';
import { actStands } from './acts.ts';
import {
  CONVERSIONS,
  claimedConversions,
  claimedLeads,
  countIn,
  isOfDays,
  KIND_OF,
  LEADS,
  LIVE,
  SUMMED_DAYS,
  said,
} from './claims.ts';
import { claimedReviews, REVIEW_IDS } from './count-reviews.ts';
import type { Kept } from './receipts.ts';
import { isPublished } from './reviews.ts';

export interface Evidence {
  /** null: the owner's words. */
  recounted: number | null;
  /** Behind the last that was seen, and one more than were asked for where there are more. */
  rows: string[];
}

/** Whether the act of a receipt may still be shown; null: it is of none, or its person is gone. Inside inSites */
export async function stillStands(
  db: Db,
  { siteId, leadId, conversionId, reviewId }: Kept,
): Promise<boolean | null> {
  if (leadId === null) return null;
  return reviewId === null
    ? actStands(db, siteId, { leadId, conversionId })
    : isPublished(db, siteId, reviewId);
}

/** Inside inSites. after  the last that was seen; null: from the first */
export async function evidenceOf(
  db: Db,
  kept: Kept,
  notification: Notification,
  after: string | null,
  limit: number,
): Promise<Evidence> {
  const stands = await stillStands(db, kept);
  if (stands !== null) {
    const row = kept.reviewId ?? kept.conversionId ?? kept.leadId!;
    return { recounted: stands ? 1 : 0, rows: after === null ? [row] : [] };
  }
  if (!notification.claim || !kept.window) return { recounted: null, rows: [] };
  const counted = await countIn(db, kept.siteId, notification, kept.window);
  const rows = await rowsOf(db, kept, notification, after, limit + 1);
  return { recounted: said(counted, 'en').value, rows };
}

/** Ids of the rows where each is one; days of the site where a number is a sum of days. */
async function rowsOf(
  db: Db,
  { siteId, window }: Kept,
  notification: Notification,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const { kind } = notification;
  const claim = notification.claim!;
  const { of, where } = claim;
  const { from, to } = window!;
  const asked = { siteId, claim, window: window! };
  const list = async (sql: string, values: unknown[]) => {
    const [last, most] = [values.length + 1, values.length + 2];
    const { rows } = await db.query<{ id: string }>(
      `select id from (${sql}) found where $${last}::text is null or id > $${last} collate "C" order by id collate "C" limit $${most}`,
      [...values, after, limit],
    );
    return rows.map(({ id }) => id);
  };
  if (kind === 'live_visitors')
    return list(
      `select distinct visitor_id::text as id from events where ${LIVE} and bot_reason is null
         and ($4::text is null or split_part(path, '?', 1) = $4)`,
      [siteId, from, to, where.path ?? null],
    );
  if (of in KIND_OF)
    return list(
      `select c.conversion_id as id from ${CONVERSIONS} and c.voided_at is null and ${converterIs} = 'human'`,
      claimedConversions(asked),
    );
  if (of === 'leads')
    return list(
      `select l.lead_id::text as id from ${LEADS} and ${senderIs('v')} = 'human'`,
      claimedLeads(asked),
    );
  if (of === 'reviews') return list(REVIEW_IDS, claimedReviews(siteId, where, from, to));
  if (!isOfDays(notification)) throw new Error(`nothing is counted of ${of}`);
  return list(`select d.day::text as id from daily_metric_rollups d where ${SUMMED_DAYS}`, [
    siteId,
    from,
    to,
  ]);
}
