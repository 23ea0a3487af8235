// Reviews that a card may show: published, by a permission that stands for exactly these words.
import type { Db } from '../../ground/db/pool.ts';
import type { Field } from '../display/display.ts';
import type { Notification } from '../notifications/at-work.ts';
import { IS_ALLOWED, isVerified, WRITER_IS } from '../reviews/counted.ts';
import { type Act, delayMs, shownOf } from './acts.ts';
import { CLAIMED, claimedReviews, FROM, type Where } from './count-reviews.ts';
import type { FeedItem } from './feed-shape.ts';

/** What must be said beside it. */
export type Beside = NonNullable<FeedItem['review']>;
export interface ShownReview extends Act {
  words: string;
  beside: Beside;
}

/** A card holds no more; a part of somebody's words is not what they allowed. */
const CARD_WORDS_MAX = 500;
const CARDS_MAX = 10;
/** Whoever leaves worse ones undecided for longer chooses by rating. */
const UNDECIDED_DAYS = 7;

interface Row {
  actId: string;
  leadId: string;
  occurredAt: Date;
  product: string | null;
  words: string;
  rating: number | null;
  incentive: string | null;
  relationship: string | null;
  verified: boolean;
  fields: Field[];
  name: string | null;
  city: string | null;
  region: string | null;
  country: string | null;
  isSelected: boolean;
}

/** The newest that may be shown. mayName: the site is not one where that says too much. Inside inSites */
export async function publishedReviews(
  db: Db,
  siteId: string,
  { claim }: Pick<Notification, 'claim'>,
  from: Date,
  at: Date,
  mayName: boolean,
): Promise<ShownReview[]> {
  const { where } = claim!;
  const { rows } = await db.query<Row>(
    `with allowed as (
       select r.*, case when l.privacy_signal then '{}' else s.fields end as fields, d.given_name, d.city, d.region, d.country
       ${FROM} cross join lateral review_standing(r.site_id, r.lead_id, r.review_id) s
         join display_details d on d.site_id = s.site_id and d.record_id = s.record_id
       where ${CLAIMED} and r.status <> 'declined' and l.lead_id is not null and ${WRITER_IS} = 'human' and ${IS_ALLOWED}
     ), shown as (select * from allowed where status = 'published' and length(words) <= ${CARD_WORDS_MAX})
     select r.review_id as "actId", r.lead_id as "leadId", r.written_at as "occurredAt", r.product, r.words, r.rating, r.incentive, r.relationship,
       ${isVerified('r')} as verified, r.fields, r.given_name as name, r.city, r.region, r.country,
       exists (select from allowed a where a.status = 'waiting' and a.received_at < $3::timestamptz - interval '${UNDECIDED_DAYS} days'
         and a.rating < (select min(rating) from shown)) as "isSelected"
     from shown r order by r.written_at desc, r.review_id limit ${3 * CARDS_MAX}`,
    claimedReviews(siteId, where, from, at),
  );
  const told = rows
    .filter(({ actId, occurredAt }) => occurredAt.getTime() + delayMs(actId) <= at.getTime())
    .slice(0, CARDS_MAX);
  const shown: ShownReview[] = [];
  for (const row of told) {
    const { words, rating, incentive, relationship, verified, isSelected } = row;
    const { actId, leadId, occurredAt, product } = row;
    shown.push({
      ...(await shownOf(
        db,
        siteId,
        { actId, leadId, occurredAt, product, country: null },
        mayName ? row : null,
      )),
      words,
      beside: { rating, incentive, relationship, verified, selected: isSelectedBy(where) || isSelected },
    });
  }
  return shown;
}

/** A choice by rating is said. */
export const isSelectedBy = ({ ratingAtLeast }: Where): boolean => ratingAtLeast !== undefined;

/** Whether it may still be shown. */
export async function isPublished(db: Db, siteId: string, reviewId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select ${FROM} cross join lateral review_standing(r.site_id, r.lead_id, r.review_id) s
       join display_details d on d.site_id = s.site_id and d.record_id = s.record_id
     where r.site_id = $1 and r.review_id = $2 and r.status = 'published' and not l.restricted and ${WRITER_IS} = 'human' and ${IS_ALLOWED}`,
    [siteId, reviewId],
  );
  return rowCount === 1;
}
