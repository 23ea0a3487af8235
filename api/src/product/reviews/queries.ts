// The SQL door of reviews. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import { leftOut, ONCE } from '../bots/people.ts';
import { isVerified, PERMISSION, STANDING, WRITER_IS, WRITTEN } from './counted.ts';
import type { Review, ReviewAverage, ReviewPatch } from './schema.ts';

const SELECT = `select r.review_id as "reviewId", r.version, r.status, r.reason, r.note, r.rating, r.words as text, r.language, r.product, r.incentive,
    r.relationship, ${isVerified('r')} as verified,
    ${PERMISSION} as permission,
    case when s.action = 'granted' then s.fields else '{}' end as fields, d.given_name as name, l.lead_id as "leadId", r.source, r.source_url as "sourceUrl",
    instant_text(r.written_at) as "writtenAt", instant_text(r.received_at) as "receivedAt", instant_text(r.decided_at) as "decidedAt", r.decided_by as "decidedBy"
  from reviews r left join leads l on l.site_id = r.site_id and l.lead_id = r.lead_id
    ${STANDING}`;

export interface ReviewFilter {
  status?: string | undefined;
  product?: string | undefined;
  source?: string | undefined;
}

/** The newest first. */
export async function listReviews(
  db: Db,
  siteId: string,
  { status, product, source }: ReviewFilter,
  after: { at: string; reviewId: string } | null,
  limit: number,
): Promise<Review[]> {
  const { rows } = await db.query<Review>(
    `${SELECT} where r.site_id = $1 and ($2::text is null or r.status = $2) and ($3::text is null or r.product = $3) and ($4::text is null or r.source = $4)
       and ($5::timestamptz is null or (r.written_at, r.review_id) < ($5, $6::uuid))
     order by r.written_at desc, r.review_id desc limit $7`,
    [
      siteId,
      status ?? null,
      product ?? null,
      source ?? null,
      after?.at ?? null,
      after?.reviewId ?? null,
      limit,
    ],
  );
  return rows;
}

export async function findReview(db: Db, siteId: string, reviewId: string): Promise<Review | null> {
  const { rows } = await db.query<Review>(`${SELECT} where r.site_id = $1 and r.review_id = $2`, [
    siteId,
    reviewId,
  ]);
  return rows[0] ?? null;
}

/** Its person before it, in the order of an erasure. */
export async function lockReview(db: Db, siteId: string, reviewId: string): Promise<void> {
  await db.query(
    `select from leads where site_id = $1 and lead_id = (select lead_id from reviews where site_id = $1 and review_id = $2) for update`,
    [siteId, reviewId],
  );
  await db.query('select from reviews where site_id = $1 and review_id = $2 for update', [siteId, reviewId]);
}

export async function updateReview(
  db: Db,
  siteId: string,
  reviewId: string,
  { status, reason, note, product, incentive, relationship }: ReviewPatch,
  actor: string,
): Promise<void> {
  await db.query(
    `update reviews set version = version + 1, status = coalesce($3, status), reason = case when $3::text is null then reason else $4 end,
       note = case when $5 then $6 else note end, product = case when $7 then $8 else product end,
       incentive = coalesce($9, incentive), relationship = coalesce($10, relationship),
       decided_at = case when $3 is null then decided_at else now() end, decided_by = case when $3 is null then decided_by else $11 end
     where site_id = $1 and review_id = $2`,
    [
      siteId,
      reviewId,
      status ?? null,
      reason ?? null,
      note !== undefined,
      note ?? null,
      product !== undefined,
      product ?? null,
      incentive ?? null,
      relationship ?? null,
      actor,
    ],
  );
}

/** Every one that is not declined, whatever its rating, status or permission. product: null: of all */
export async function averageOf(db: Db, siteId: string, product: string | null): Promise<ReviewAverage> {
  const { rows } = await db.query<Omit<ReviewAverage, 'excluded'> & { bots: string; staff: string }>(
    `select round(avg(rating) filter (where status <> 'declined' and taken_for = 'human'), 2)::float8 as rating,
       (count(rating) filter (where status <> 'declined' and taken_for = 'human'))::int as ratings,
       (count(*) filter (where status <> 'declined' and taken_for = 'human'))::int as reviews,
       (count(*) filter (where status = 'declined'))::int as declined, ${leftOut('taken_for')}
     from (select r.rating, r.status, ${WRITER_IS} as taken_for from reviews r ${WRITTEN}
       where r.site_id = $1 and ($2::text is null or r.product = $2) ${ONCE}) r`,
    [siteId, product],
  );
  const { bots, staff, ...average } = rows[0]!;
  return { ...average, excluded: { bots: Number(bots), staff: Number(staff) } };
}
