// How many reviews there are that a claim speaks of: every one that was not declined.
import type { Db } from '../../ground/db/pool.ts';
import { leftOut, ONCE } from '../bots/people.ts';
import type { Notification } from '../notifications/at-work.ts';
import { WRITER_IS, WRITTEN } from '../reviews/counted.ts';

export const FROM = `from reviews r ${WRITTEN}`;
/** Of a claim; see claimedReviews(). */
export const CLAIMED = `r.site_id = $1 and r.written_at >= $2 and r.written_at <= $3 and not coalesce(l.restricted, false)
     and ($4::text is null or r.product = $4) and ($5::integer is null or r.rating >= $5)`;

export type Where = NonNullable<Notification['claim']>['where'];
export const claimedReviews = (siteId: string, { product, ratingAtLeast }: Where, from: Date, at: Date) => [
  siteId,
  from,
  at,
  product ?? null,
  ratingAtLeast ?? null,
];

export interface CountedReviews {
  value: string;
  bots: string;
  staff: string;
}

/** Every one that is not declined. */
export async function countReviews(
  db: Db,
  siteId: string,
  where: Where,
  from: Date,
  at: Date,
): Promise<CountedReviews> {
  const { rows } = await db.query<CountedReviews>(
    `select count(*) filter (where taken_for = 'human') as value, ${leftOut('taken_for')}
     from (select ${WRITER_IS} as taken_for ${FROM} where ${CLAIMED} and r.status <> 'declined' ${ONCE}) r`,
    claimedReviews(siteId, where, from, at),
  );
  return rows[0]!;
}

/** SQL: ids of those. */
export const REVIEW_IDS = `select r.review_id::text as id ${FROM} where ${CLAIMED} and r.status <> 'declined' and ${WRITER_IS} = 'human'`;
