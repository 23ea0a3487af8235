// The SQL door of plans. What belongs to a site: inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import { STOPPED } from './limits.ts';
import { type Limits, type MONTHLY, type Plan, UNLIMITED, type Used } from './schema.ts';

const LIMITS = `jsonb_build_object('events', p.events_a_month, 'impressions', p.impressions_a_month, 'notifications', p.notifications,
  'tests', p.tests, 'webhooks', p.webhooks, 'seats', p.seats)`;
const AS_PLAN = `p.plan_id as "planId", p.name, ${LIMITS} as limits, p.version, instant_text(p.created_at) as "createdAt", instant_text(p.updated_at) as "updatedAt"`;

const NONE: Limits = {
  events: null,
  impressions: null,
  notifications: null,
  tests: null,
  webhooks: null,
  seats: null,
};
/** Of sites to which nobody gave a plan. */
export const unlimited: Plan = {
  planId: UNLIMITED,
  name: 'Unlimited',
  limits: NONE,
  version: 0,
  createdAt: null,
  updatedAt: null,
};

/** siteIds  null: every plan; else those that one of these sites has */
export async function listPlans(db: Db, siteIds: readonly string[] | null): Promise<Plan[]> {
  const { rows } = await db.query<Plan>(
    `select ${AS_PLAN} from plans p where $1::uuid[] is null
       or exists (select from subscriptions s where s.plan_id = p.plan_id and s.site_id = any ($1)) order by p.plan_id`,
    [siteIds],
  );
  return rows;
}

/** lock  until the transaction ends its limits stay. returns null when there is none */
export async function findPlan(db: Db, planId: string, lock = false): Promise<Plan | null> {
  if (planId === UNLIMITED) return unlimited;
  const { rows } = await db.query<Plan>(
    `select ${AS_PLAN} from plans p where p.plan_id = $1 ${lock ? 'for no key update' : ''}`,
    [planId],
  );
  return rows[0] ?? null;
}

const valuesOf = ({ events, impressions, notifications, tests, webhooks, seats }: Limits) => [
  events,
  impressions,
  notifications,
  tests,
  webhooks,
  seats,
];

/** throws  when the name is taken */
export async function insertPlan(db: Db, plan: Pick<Plan, 'planId' | 'name' | 'limits'>): Promise<Plan> {
  const { rows } = await db.query<Plan>(
    `insert into plans as p (plan_id, name, events_a_month, impressions_a_month, notifications, tests, webhooks, seats)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${AS_PLAN}`,
    [plan.planId, plan.name, ...valuesOf(plan.limits)],
  );
  return rows[0]!;
}

export async function updatePlan(db: Db, plan: Pick<Plan, 'planId' | 'name' | 'limits'>): Promise<Plan> {
  const { rows } = await db.query<Plan>(
    `update plans p set name = $2, events_a_month = $3, impressions_a_month = $4, notifications = $5, tests = $6, webhooks = $7, seats = $8,
       version = version + 1, updated_at = now() where p.plan_id = $1 returning ${AS_PLAN}`,
    [plan.planId, plan.name, ...valuesOf(plan.limits)],
  );
  return rows[0]!;
}

export interface SubscriptionRow {
  plan: Plan;
  billingUrl: string | null;
  since: string | null;
}

/** Of a site without one: no limits. */
export async function findSubscription(db: Db, siteId: string): Promise<SubscriptionRow> {
  const { rows } = await db.query<Plan & { billingUrl: string | null; since: string }>(
    `select ${AS_PLAN}, s.billing_url as "billingUrl", instant_text(s.since) as since
     from subscriptions s join plans p using (plan_id) where s.site_id = $1`,
    [siteId],
  );
  if (!rows[0]) return { plan: unlimited, billingUrl: null, since: null };
  const { billingUrl, since, ...plan } = rows[0];
  return { plan, billingUrl, since };
}

/** Sites of those of the transaction that have a plan, one or any. */
export async function sitesOfPlan(db: Db, planId: string | null): Promise<string[]> {
  const { rows } = await db.query<{ site_id: string }>(
    'select site_id from subscriptions where $1::text is null or plan_id = $1 order by site_id',
    [planId],
  );
  return rows.map((row) => row.site_id);
}

export async function setSubscription(
  db: Db,
  siteId: string,
  planId: string,
  billingUrl: string | null,
): Promise<void> {
  if (planId === UNLIMITED && billingUrl === null) {
    await db.query('delete from subscriptions where site_id = $1', [siteId]);
    return;
  }
  await db.query(
    `insert into subscriptions as s (site_id, plan_id, billing_url) values ($1, $2, $3)
     on conflict (site_id) do update set plan_id = excluded.plan_id, billing_url = excluded.billing_url,
       since = case when s.plan_id = excluded.plan_id then s.since else now() end`,
    [siteId, planId, billingUrl],
  );
}

const MONTH_BEGAN = "date_trunc('month', now() at time zone 'UTC')::date";
/** SQL: what the ledger has of a UTC month. began: SQL of its first day */
const eventsOf = (
  began: string,
) => `coalesce((select sum(l.count) from ingest_ledger l where l.site_id = s.site_id and l.outcome = 'accepted'
  and l.day >= ${began} and l.day < ${began} + interval '1 month'), 0)::bigint`;
/** SQL: cards that people were shown on the site's days of a month. */
const impressionsOf = (
  began: string,
) => `coalesce((select sum(r.shown) from daily_notification_rollups r where r.site_id = s.site_id
  and r.day >= ${began} and r.day < ${began} + interval '1 month'), 0)::bigint`;

type Counts = Omit<Used, 'seats'>;

export async function countUsed(db: Db, siteId: string): Promise<Counts> {
  const { rows } = await db.query<Counts>(
    `select ${eventsOf(MONTH_BEGAN)}::float8 as events, ${impressionsOf(MONTH_BEGAN)}::float8 as impressions,
       (select count(*) from notifications n where n.site_id = s.site_id and n.status in ('scheduled', 'running'))::int as notifications,
       (select count(*) from ab_tests t where t.site_id = s.site_id and t.status = 'running')::int as tests,
       (select count(*) from webhooks w where w.site_id = s.site_id)::int as webhooks from sites s where s.site_id = $1`,
    [siteId],
  );
  return rows[0] ?? { events: 0, impressions: 0, notifications: 0, tests: 0, webhooks: 0 };
}

export interface Month {
  month: string;
  events: number;
  impressions: number;
}

export async function listMonths(db: Db, siteId: string): Promise<Month[]> {
  const { rows } = await db.query<Month>(
    `select month::text, events::float8 as events, impressions::float8 as impressions from usage_months
     where site_id = $1 and month < ${MONTH_BEGAN} order by month desc limit 24`,
    [siteId],
  );
  return rows;
}

/**
 * Writes down what the sites of the transaction that have a plan used of this month; in its first days of the one before too, whose
 * last hours nobody had counted.
 * returns  how many sites
 */
export async function countMonth(db: Db): Promise<number> {
  const { rows } = await db.query<{ sites: number }>(
    `with counted as (
       insert into usage_months (site_id, month, events, impressions)
       select s.site_id, m.month, ${eventsOf('m.month')}, ${impressionsOf('m.month')} from subscriptions s
       cross join (select distinct date_trunc('month', now() at time zone 'UTC' - make_interval(days => back))::date as month
         from unnest(array[0, 2]) as back) m
       where m.month = ${MONTH_BEGAN} or exists (select from usage_months u where u.site_id = s.site_id and u.month = m.month)
       on conflict (site_id, month) do update set events = excluded.events, impressions = excluded.impressions, counted_at = now()
       returning month)
     select count(*) filter (where month = ${MONTH_BEGAN})::int as sites from counted`,
  );
  return rows[0]!.sites;
}

/** How far a month has come, as it is told. */
export interface PlanWarning {
  siteId: string;
  planId: string;
  what: (typeof MONTHLY)[number];
  percent: 80 | 100;
  used: number;
  limit: number;
  month: string;
}

/** Of the sites of the transaction, in one order: what this month has come to and was not told of yet. */
export async function listDueWarnings(db: Db): Promise<PlanWarning[]> {
  const { rows } = await db.query<PlanWarning>(
    `select u.site_id as "siteId", p.plan_id as "planId", w.what, t.percent, w.used::float8 as used, w.most::float8 as "limit", u.month::text as month
     from usage_months u join subscriptions s using (site_id) join plans p using (plan_id)
     cross join lateral (values ('events', u.events, p.events_a_month), ('impressions', u.impressions, p.impressions_a_month)) as w (what, used, most)
     cross join unnest(array[80, 100]) as t (percent)
     where u.month = ${MONTH_BEGAN} and w.used > 0 and w.used * 100 >= w.most * t.percent
       and not exists (select from plan_warnings n where n.site_id = u.site_id and n.month = u.month and n.what = w.what
         and n.percent = t.percent and n.plan_limit = w.most)
     order by 1, 3, 4`,
  );
  return rows;
}

/** returns  whether nobody was told of it before */
export async function insertWarning(
  db: Db,
  { siteId, month, what, percent, limit }: PlanWarning,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into plan_warnings (site_id, month, what, percent, plan_limit) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [siteId, month, what, percent, limit],
  );
  return rowCount === 1;
}

/** Whose events are refused from now on, and whose no longer. returns how many sites changed */
export async function markOverPlan(db: Db): Promise<number> {
  const { rowCount } = await db.query(
    `update sites t set over_plan = not t.over_plan from (
       select s.site_id, coalesce(u.events > p.events_a_month * ${STOPPED}, false) as is_over from sites s
         left join subscriptions b using (site_id) left join plans p using (plan_id)
         left join usage_months u on u.site_id = s.site_id and u.month = ${MONTH_BEGAN}
        where s.site_id = any (current_sites())) as now
     where t.site_id = now.site_id and t.over_plan <> now.is_over`,
  );
  return rowCount ?? 0;
}

export interface PlanNumbers {
  sites: number;
  near: number;
  reached: number;
  stopped: number;
  waiting: number;
}

/** Sites by how far they have come, as last counted. */
export async function numbersOfPlans(db: Db): Promise<PlanNumbers> {
  const { rows } = await db.query<PlanNumbers>(
    `select count(*)::int as sites, count(*) filter (where of_plan >= 0.8 and of_plan < 1)::int as near,
       count(*) filter (where of_plan >= 1 and not over_plan)::int as reached, count(*) filter (where over_plan)::int as stopped,
       (select count(distinct site_id) from billed_subscriptions where site_id = any (current_sites()) and is_ours and plan_id is not null
         and settled_at is null and heard_at < now() - interval '10 minutes')::int as waiting
     from (select t.over_plan, greatest(u.events / nullif(p.events_a_month, 0)::numeric,
         u.impressions / nullif(p.impressions_a_month, 0)::numeric) as of_plan from subscriptions s join plans p using (plan_id)
       join sites t using (site_id) left join usage_months u on u.site_id = s.site_id and u.month = ${MONTH_BEGAN}) as counted`,
  );
  return rows[0]!;
}
