// Claims become numbers: rows that count, by statements of our own, never a number that somebody typed.
import type { Db } from '../../ground/db/pool.ts';
import { CONVERTED, converterIs, leftOut, ONCE, SENT, senderIs } from '../bots/people.ts';
import { ERASED_PATH, ERASED_TYPE, isKnownType } from '../events/tables.ts';
import type { Notification } from '../notifications/at-work.ts';
import { countReviews } from './count-reviews.ts';

export interface Window {
  /** Not before, and not after; of whole days the midnights of the site between which they lie. */
  from: Date;
  to: Date;
}
export interface Counted {
  value: number;
  /** From whole days: at least so many, and said with a "+". */
  isRounded: boolean;
  /** Rows that were there and do not count; null: those are not counted, as of sums of whole days. */
  excluded: { bots: number; staff: number; voided: number } | null;
  window: Window;
}

type Claim = NonNullable<Notification['claim']>;
type Claiming = Pick<Notification, 'kind' | 'claim'>;
interface Asked {
  siteId: string;
  claim: Claim;
  window: Window;
}

export const LIVE_MINUTES = 5;
const DAY_MS = 86_400_000;

/** Claims that are counted from whole days. */
export const isOfDays = ({ kind, claim }: Claiming): boolean =>
  kind === 'count' && /^(visitors|page_views|event:)/.test(claim?.of ?? '');

/** The window a claim of single rows speaks of, at that moment. */
export function windowOf(kind: Notification['kind'], { days }: Pick<Claim, 'days'>, at: Date): Window {
  const length = kind === 'live_visitors' ? LIVE_MINUTES * 60_000 : days * DAY_MS;
  return { from: new Date(at.getTime() - length), to: at };
}

/** The same of any claim: of whole days those that lie in it and are over, so that nothing older is told of. Today goes on being counted. */
async function windowAt(db: Db, siteId: string, claiming: Claiming, at: Date): Promise<Window> {
  const { kind, claim } = claiming;
  if (!isOfDays(claiming)) return windowOf(kind, claim!, at);
  const { rows } = await db.query<Window>(
    // a day of 25 hours, when clocks change, may make the first of them begin too early
    `select least("to", case when first_starts < $4 then site_day_starts($1, first + 1) else first_starts end) as "from", "to"
     from (select today - ($3::integer - 1) as first, site_day_starts($1, today - ($3::integer - 1)) as first_starts, site_day_starts($1, today) as "to"
       from site_day($1, $2) as today) days`,
    [siteId, at, claim!.days, windowOf(kind, claim!, at).from],
  );
  return rows[0]!;
}

interface Numbers {
  value: string | null;
  bots: string;
  staff: string;
  voided?: string;
}
type Count = Omit<Counted, 'window'>;

const exactly = ({ value, bots, staff, voided = '0' }: Numbers): Count => ({
  value: Number(value ?? 0),
  isRounded: false,
  excluded: { bots: Number(bots), staff: Number(staff), voided: Number(voided) },
});

export const KIND_OF: Record<string, string> = {
  signups: 'signup',
  activations: 'activation',
  purchases: 'purchase',
};

/** SQL: what the customer's own server told of a claim, with who did it; see claimedConversions(). A browser may tell anything. */
export const CONVERSIONS = `${CONVERTED}
     where c.site_id = $1 and c.kind = $2 and c.origin = 'server' and c.occurred_at >= $3 and c.occurred_at <= $4
       and not coalesce(l.restricted, false) and ($5::text is null or $5 = any (c.items)) and ($6::text is null or c.country = $6)`;
export const claimedConversions = ({ siteId, claim: { of, where }, window: { from, to } }: Asked) => [
  siteId,
  KIND_OF[of],
  from,
  to,
  where.product ?? null,
  where.country ?? null,
];

/** Whoever did it several times is one: "people" is true of it, and so is "purchases". */
async function countConversions(db: Db, asked: Asked): Promise<Count> {
  const { rows } = await db.query<Numbers>(
    `select count(distinct person) filter (where voided_at is null and taken_for = 'human') as value,
       count(*) filter (where voided_at is not null and taken_for = 'human') as voided, ${leftOut('taken_for')}
     from (select c.voided_at, ${converterIs} as taken_for,
         coalesce(c.lead_id::text, c.visitor_id::text, encode(c.email_hash, 'hex'), c.conversion_id) as person
       from ${CONVERSIONS} ${ONCE}) told`,
    claimedConversions(asked),
  );
  return exactly(rows[0]!);
}

/** SQL: leads of a claim; see claimedLeads(). */
export const LEADS = `${SENT}
     where l.site_id = $1 and l.first_captured_at >= $2 and l.first_captured_at <= $3 and l.imported_at is null and not l.restricted
       and ($4::text is null or l.first_form_name = $4)`;
export const claimedLeads = ({ siteId, claim: { where }, window: { from, to } }: Asked) => [
  siteId,
  from,
  to,
  where.form ?? null,
];

async function countLeads(db: Db, asked: Asked): Promise<Count> {
  const { rows } = await db.query<Numbers>(
    `select count(*) filter (where taken_for = 'human') as value, ${leftOut('taken_for')}
     from (select ${senderIs('v')} as taken_for from ${LEADS} ${ONCE}) sent`,
    claimedLeads(asked),
  );
  return exactly(rows[0]!);
}

/** SQL: what happened in a window, $2 to $3, and is not of people who were erased since. */
export const LIVE = `site_id = $1 and occurred_at >= $2 and occurred_at <= $3 and path <> '${ERASED_PATH}'`;

async function countLive(db: Db, { siteId, claim, window }: Asked): Promise<Count> {
  const { rows } = await db.query<Numbers>(
    `select count(distinct visitor_id) filter (where bot_reason is null) as value,
       count(distinct visitor_id) filter (where bot_reason = 'staff') as staff,
       count(distinct visitor_id) filter (where bot_reason <> 'staff') as bots
     from events where ${LIVE} and ($4::text is null or split_part(path, '?', 1) = $4)`,
    [siteId, window.from, window.to, claim.where.path ?? null],
  );
  return exactly(rows[0]!);
}

/** SQL: whole days of the site, from midnight to midnight. $1 the site, $2 and $3 those. */
const WHOLE_DAYS = 'day >= site_day($1, $2) and day < site_day($1, $3)';
/** SQL, of sums d: of those days, while there are single events behind them: of a sealed one nobody's can be taken off any more. */
export const SUMMED_DAYS = `d.site_id = $1 and d.${WHOLE_DAYS} and not exists (
       select from rollup_state s where s.site_id = d.site_id and s.day = d.day and s.sealed_at is not null)`;

/**
 * SQL: at most so many rows of the window can have been of people who were erased since it began. Which ones they were nobody
 * knows, and nothing is kept that would tell; how many each erasure took along is its proof.
 */
const erased = (table: 'events' | 'visitors'): string =>
  `(select coalesce(sum((e.erased ->> '${table}')::bigint), 0) from erasures e
       where e.site_id = $1 and e.erased_at >= $2 and e.cause is distinct from 'time' and e.erased <> '{}')`;
/**
 * SQL: until the days of an erasure were counted again their sums hold it; and a day of too many pages keeps it among the
 * others for good.
 */
const IS_HELD = `(exists (select from dirty_days d where d.site_id = $1 and d.cause = 'erasure' and d.${WHOLE_DAYS})
       or $4 = 'all' and exists (select from daily_breakdowns d where ${SUMMED_DAYS} and d.kind = 'page' and d.name = '(other)'))`;

/** Of robots' and the site's own people's visits no days are kept: how many they were is not counted. */
const ofDays = ({ value }: Pick<Numbers, 'value'>): Count => ({
  value: Number(value ?? 0),
  isRounded: true,
  excluded: null,
});

/** Whoever is known once; of those who are new each day, the fullest day's. */
async function countVisitors(db: Db, { siteId, window: { from, to } }: Asked): Promise<Count> {
  const { rows } = await db.query<Numbers>(
    `select greatest(0, (select count(distinct visitor_id) from visitor_days where site_id = $1 and ${WHOLE_DAYS} and not is_day_visitor)
       + coalesce((select max(there) from (select count(*) as there from visitor_days
           where site_id = $1 and ${WHOLE_DAYS} and is_day_visitor group by day) days), 0) - ${erased('visitors')}) as value`,
    [siteId, from, to],
  );
  return ofDays(rows[0]!);
}

/** Page views, by their sum less what is told under the path that an erasure leaves; of one page, or of one type of events. */
async function countFromDays(db: Db, { siteId, claim, window: { from, to } }: Asked): Promise<Count> {
  const { path } = claim.where;
  const [, event] = /^event:(.*)$/.exec(claim.of) ?? [];
  if (path === ERASED_PATH) return ofDays({ value: '0' });
  const [kind, name] =
    event === undefined ? (path === undefined ? ['all', ERASED_PATH] : ['page', path]) : ['event', event];
  // a type of ours stays with its event; any other becomes the one that says so, as its page does
  const stays = kind === 'event' && (isKnownType(name) || name === ERASED_TYPE);
  const { rows } = await db.query<Numbers>(
    `select greatest(0, coalesce(sum(told), 0) - case when $6 or ${IS_HELD} then ${erased('events')} else 0 end) as value
     from (
       select d.page_views as told from daily_metric_rollups d where $4 = 'all' and ${SUMMED_DAYS}
       union all select case $4 when 'all' then -d.page_views when 'event' then d.events else d.page_views end
       from daily_breakdowns d where ${SUMMED_DAYS} and d.kind = case $4 when 'event' then 'event' else 'page' end and d.name = $5) days`,
    [siteId, from, to, kind, name, stays],
  );
  return ofDays(rows[0]!);
}

function count(db: Db, kind: Notification['kind'], asked: Asked): Promise<Count> {
  const { of } = asked.claim;
  if (kind === 'live_visitors') return countLive(db, asked);
  if (of in KIND_OF) return countConversions(db, asked);
  if (of === 'leads') return countLeads(db, asked);
  if (of === 'visitors') return countVisitors(db, asked);
  if (of === 'reviews') return countClaimedReviews(db, asked);
  return countFromDays(db, asked);
}

async function countClaimedReviews(db: Db, { siteId, claim, window }: Asked): Promise<Count> {
  return exactly(await countReviews(db, siteId, claim.where, window.from, window.to));
}

/** The value of a claim in a window, from the rows as they are now; inside inSites. */
export async function countIn(
  db: Db,
  siteId: string,
  { kind, claim }: Claiming,
  window: Window,
): Promise<Counted> {
  if (!claim) throw new Error(`a ${kind} claims nothing`);
  return { ...(await count(db, kind, { siteId, claim, window })), window };
}

/** The same in its window at a moment. */
export async function countClaim(db: Db, siteId: string, claiming: Claiming, at: Date): Promise<Counted> {
  if (!claiming.claim) throw new Error(`a ${claiming.kind} claims nothing`);
  return countIn(db, siteId, claiming, await windowAt(db, siteId, claiming, at));
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

const OF_DAYS = 'rounded down; as much is taken off as may be of people who were erased since';

/** How the number comes about, for receipts. */
export function ruleOf(kind: Notification['kind'], claim: Claim | null): string {
  if (!claim) return 'stated by the owner of the site; its source stands beside it';
  if (kind === 'live_visitors')
    return `distinct human visitors with an event in the last ${LIVE_MINUTES} minutes; no staff`;
  if (kind === 'recent_activity')
    return 'one act of a person, told by the site’s own server or form; no bots, no staff, nothing voided';
  if (claim.of in KIND_OF)
    return 'people, each once, of whom the site’s own server told this; no bots, no staff, nothing cancelled or refunded, nobody who was erased';
  if (claim.of === 'leads')
    return 'people who sent the form for the first time; no bots, no staff, nobody imported or erased';
  if (claim.of === 'visitors')
    return `human visitors of the whole days in that time that are over, known ones once, others of the fullest day only; no staff; ${OF_DAYS}`;
  if (claim.of === 'reviews') return ruleOfReviews(kind, claim);
  return `of human visitors on the whole days in that time that are over; no staff; ${OF_DAYS}`;
}

function ruleOfReviews(kind: Notification['kind'], { where: { ratingAtLeast } }: Claim): string {
  const selected =
    ratingAtLeast === undefined ? '' : `; selected reviews: of those rated ${ratingAtLeast} or more`;
  return kind === 'review'
    ? `one review as it was written, published by written permission for exactly these words; incentive and relationship stand beside it${selected}`
    : `reviews, by the day they were written; every one that was not declined, and a low rating is no reason to decline; no bots, no staff${selected}`;
}
