// Claims become numbers: rows that count, by statements of our own, never a number that somebody typed.
import type { Db } from '../../ground/db/pool.ts';
import type { Notification } from '../notifications/at-work.ts';
import { countReviews } from './count-reviews.ts';

export interface Counted {
  value: number;
  /** From whole days: at least so many, and said with a "+". */
  isRounded: boolean;
  /** Rows that were there and do not count. */
  excluded: { bots: number; staff: number; voided: number };
}

type Claim = NonNullable<Notification['claim']>;
export interface Asked {
  siteId: string;
  claim: Claim;
  /** Not before, and not after. */
  from: Date;
  at: Date;
}

export const LIVE_MINUTES = 5;
const DAY_MS = 86_400_000;

/** The window a claim speaks of, at that moment. */
export function windowOf(
  kind: Notification['kind'],
  { days }: Pick<Claim, 'days'>,
  at: Date,
): { from: Date; to: Date } {
  const length = kind === 'live_visitors' ? LIVE_MINUTES * 60_000 : days * DAY_MS;
  return { from: new Date(at.getTime() - length), to: at };
}

interface Numbers {
  value: string | null;
  bots?: string;
  staff?: string;
  voided?: string;
}

const counted = ({ value, bots = '0', staff = '0', voided = '0' }: Numbers, isRounded = false): Counted => ({
  value: Number(value ?? 0),
  isRounded,
  excluded: { bots: Number(bots), staff: Number(staff), voided: Number(voided) },
});

/** SQL: whether a visitor's row v is somebody who counts. Nobody's row counts. */
const IS_HUMAN = "coalesce(v.bot_verdict, 'human') = 'human'";
const LEFT_OUT = `count(*) filter (where v.bot_verdict = 'staff') as staff, count(*) filter (where not ${IS_HUMAN} and v.bot_verdict <> 'staff') as bots`;

export const KIND_OF: Record<string, string> = {
  signups: 'signup',
  activations: 'activation',
  purchases: 'purchase',
};

/**
 * What the customer's own server told; a browser may tell anything. Whoever did it several times is one: "people" is true
 * of it, and so is "purchases".
 */
async function countConversions(db: Db, { siteId, claim, from, at }: Asked): Promise<Counted> {
  const { rows } = await db.query<Numbers>(
    `select count(distinct coalesce(c.lead_id::text, c.visitor_id::text, encode(c.email_hash, 'hex'), c.conversion_id))
       filter (where c.voided_at is null and ${IS_HUMAN}) as value,
       count(*) filter (where c.voided_at is not null) as voided, ${LEFT_OUT}
     from conversions c left join visitors v on v.site_id = c.site_id and v.visitor_id = c.visitor_id
     where c.site_id = $1 and c.kind = $2 and c.origin = 'server' and c.occurred_at >= $3 and c.occurred_at <= $4
       and ($5::text is null or $5 = any (c.items)) and ($6::text is null or c.country = $6)`,
    [siteId, KIND_OF[claim.of], from, at, claim.where.product ?? null, claim.where.country ?? null],
  );
  return counted(rows[0]!);
}

async function countLeads(db: Db, { siteId, claim, from, at }: Asked): Promise<Counted> {
  const { rows } = await db.query<Numbers>(
    `select count(*) filter (where ${IS_HUMAN}) as value, ${LEFT_OUT}
     from leads l left join visitors v on v.site_id = l.site_id and v.visitor_id = l.first_visitor_id
     where l.site_id = $1 and l.first_captured_at >= $2 and l.first_captured_at <= $3 and l.imported_at is null and not l.restricted
       and ($4::text is null or l.first_form_name = $4)`,
    [siteId, from, at, claim.where.form ?? null],
  );
  return counted(rows[0]!);
}

async function countLive(db: Db, { siteId, claim, from, at }: Asked): Promise<Counted> {
  const { rows } = await db.query<Numbers>(
    `select count(distinct visitor_id) filter (where bot_reason is null) as value,
       count(distinct visitor_id) filter (where bot_reason = 'staff') as staff,
       count(distinct visitor_id) filter (where bot_reason <> 'staff') as bots
     from events where site_id = $1 and occurred_at >= $2 and occurred_at <= $3 and ($4::text is null or split_part(path, '?', 1) = $4)`,
    [siteId, from, at, claim.where.path ?? null],
  );
  return counted(rows[0]!);
}

/** SQL: whole days of the site that lie in the window, today as far as it is counted. $1 the site, $2 its beginning. */
const WHOLE_DAYS = 'day > site_day($1, $2) and day <= site_day($1, $3)';

/** Whoever is known once; of those who are new each day, the fullest day's. */
async function countVisitors(db: Db, { siteId, from, at }: Asked): Promise<Counted> {
  const { rows } = await db.query<Numbers>(
    `select (select count(distinct visitor_id) from visitor_days where site_id = $1 and ${WHOLE_DAYS} and not is_day_visitor)
       + coalesce((select max(there) from (select count(*) as there from visitor_days
           where site_id = $1 and ${WHOLE_DAYS} and is_day_visitor group by day) days), 0) as value`,
    [siteId, from, at],
  );
  return counted(rows[0]!, true);
}

async function countFromDays(db: Db, asked: Asked): Promise<Counted> {
  const { siteId, claim, from, at } = asked;
  const { path } = claim.where;
  const [, event] = /^event:(.*)$/.exec(claim.of) ?? [];
  const { rows } =
    event === undefined && path === undefined
      ? await db.query<Numbers>(
          `select sum(page_views) as value from daily_metric_rollups where site_id = $1 and ${WHOLE_DAYS}`,
          [siteId, from, at],
        )
      : await db.query<Numbers>(
          `select sum(case kind when 'event' then events else page_views end) as value
           from daily_breakdowns where site_id = $1 and ${WHOLE_DAYS} and kind = $4 and name = $5`,
          [siteId, from, at, event === undefined ? 'page' : 'event', event ?? path],
        );
  return counted(rows[0]!, true);
}

/** The value of a claim at a moment, recounted from the rows; inside inSites. */
export async function countClaim(
  db: Db,
  siteId: string,
  notification: Pick<Notification, 'kind' | 'claim'>,
  at: Date,
): Promise<Counted> {
  const { kind, claim } = notification;
  if (!claim) throw new Error(`a ${kind} claims nothing`);
  const asked = { siteId, claim, from: windowOf(kind, claim, at).from, at };
  if (kind === 'live_visitors') return countLive(db, asked);
  if (claim.of in KIND_OF) return countConversions(db, asked);
  if (claim.of === 'leads') return countLeads(db, asked);
  if (claim.of === 'visitors') return countVisitors(db, asked);
  if (claim.of === 'reviews') return counted(await countReviews(db, siteId, claim.where, asked.from, at));
  return countFromDays(db, asked);
}

/** What is said of it: exact, or rounded down to two digits with "+". */
export function said(
  { value, isRounded }: Pick<Counted, 'value' | 'isRounded'>,
  language: string,
): { text: string; value: number } {
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  if (!isRounded) return { text: numbers.format(value), value };
  const step = 10 ** Math.max(0, String(value).length - 2);
  const down = Math.floor(value / step) * step;
  return { text: `${numbers.format(down)}+`, value: down };
}

/** How the number comes about, for receipts. */
export function ruleOf(kind: Notification['kind'], claim: Claim | null): string {
  if (!claim) return 'stated by the owner of the site; its source stands beside it';
  if (kind === 'live_visitors')
    return `distinct human visitors with an event in the last ${LIVE_MINUTES} minutes; no staff`;
  if (kind === 'recent_activity')
    return 'one act of a person, told by the site’s own server or form; no bots, no staff, nothing voided';
  if (claim.of in KIND_OF)
    return 'people, each once, of whom the site’s own server told this; no staff, nothing cancelled or refunded, nobody who was erased';
  if (claim.of === 'leads')
    return 'people who sent the form for the first time; no bots, no staff, nobody imported or erased';
  if (claim.of === 'visitors')
    return 'human visitors of whole days, known ones once, others of the fullest day only; no staff; rounded down';
  if (claim.of === 'reviews') return ruleOfReviews(kind, claim);
  return 'of human visitors on whole days; no staff; rounded down';
}

function ruleOfReviews(kind: Notification['kind'], { where: { ratingAtLeast } }: Claim): string {
  const selected =
    ratingAtLeast === undefined ? '' : `; selected reviews: of those rated ${ratingAtLeast} or more`;
  return kind === 'review'
    ? `one review as it was written, published by written permission for exactly these words; incentive and relationship stand beside it${selected}`
    : `reviews, by the day they were written; every one that was not declined, and a low rating is no reason to decline; no bots, no staff${selected}`;
}
