// The SQL door of delivering. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Attempt } from './send.ts';

export interface Claimed {
  siteId: string;
  webhookId: string;
  kind: 'endpoint' | 'hook';
  failures: number;
}
export interface Due {
  deliveryId: string;
  /** As the endpoint is now, whatever it was when it was taken in hand. */
  url: string;
  type: string;
  data: Record<string, unknown>;
  happenedAt: string;
  tries: number;
  /** Of the lead, as it is now; only where the endpoint may have it, and the lead is not restricted. */
  email: string | null;
}

/** Long enough for one try; a process that ends in the middle leaves it to another after that. */
const LEASE = "interval '20 seconds'";

/**
 * Takes an endpoint with something due in hand, the one that was served longest ago.
 * isWell   only one whose last try succeeded
 * returns  null when there is none
 */
export async function claimWebhook(db: Db, isWell: boolean): Promise<Claimed | null> {
  const { rows } = await db.query<Claimed>(
    `with due as (
       select w.site_id, w.webhook_id from webhooks w
       where w.site_id = any (current_sites()) and w.disabled_at is null and w.leased_until <= now() and w.resting_until <= now()
         and (w.failures = 0 or not $1) and exists (select from deliveries d where d.site_id = w.site_id and d.webhook_id = w.webhook_id
           and d.state = 'pending' and d.due_at <= now())
       order by w.leased_until limit 1 for update of w skip locked
     )
     update webhooks w set leased_until = now() + ${LEASE} from due
     where w.site_id = due.site_id and w.webhook_id = due.webhook_id
     returning w.site_id as "siteId", w.webhook_id as "webhookId", w.kind, w.failures`,
    [isWell],
  );
  return rows[0] ?? null;
}

const AS_DUE = `d.delivery_id as "deliveryId", d.type, d.data, instant_text(d.happened_at) as "happenedAt", d.tries,
  w.url, case when w.personal and not l.restricted then l.email end as email
  from deliveries d join webhooks w on w.site_id = d.site_id and w.webhook_id = d.webhook_id
  left join leads l on l.site_id = d.site_id and l.lead_id = d.lead_id`;

/** deliveryId: this one, whatever its time; else the one that is due longest, unless the endpoint was switched off. It stays in hand. */
export async function findDue(
  db: Db,
  { siteId, webhookId }: Claimed,
  deliveryId: string | null = null,
): Promise<Due | null> {
  const { rows } = await db.query<Due>(
    `select ${AS_DUE}
     where d.site_id = $1 and d.webhook_id = $2 and d.state = 'pending'
       and case when $3::uuid is null then d.due_at <= now() and w.disabled_at is null else d.delivery_id = $3 end
     order by d.due_at limit 1`,
    [siteId, webhookId, deliveryId],
  );
  return rows[0] ?? null;
}

/** What to write of a try. */
export interface Result {
  attempt: Attempt;
  /** null: there is none. */
  nextInSeconds: number | null;
  restSeconds: number;
  /** By the test button. */
  isTrial: boolean;
}

/**
 * Writes down how a try ended, and holds the endpoint a little longer; one on trial says nothing of the endpoint.
 * returns  since when the endpoint fails; null: it does not
 */
export async function recordTry(
  db: Db,
  { siteId, webhookId }: Claimed,
  deliveryId: string,
  { attempt: { outcome, status, ms }, nextInSeconds, restSeconds, isTrial }: Result,
): Promise<{ failingSince: Date | null }> {
  const isDelivered = outcome === 'delivered';
  const state = isDelivered ? 'delivered' : nextInSeconds === null ? 'dead' : 'pending';
  // one order, everywhere: the endpoint, then what it is told
  const { rows } = isTrial
    ? { rows: [] }
    : await db.query<{ failingSince: Date | null }>(
        `update webhooks set leased_until = now() + ${LEASE}, resting_until = now() + make_interval(secs => $4),
       failures = case when $3 then 0 else failures + 1 end, failing_since = case when $3 then null else coalesce(failing_since, now()) end
     where site_id = $1 and webhook_id = $2 returning failing_since as "failingSince"`,
        [siteId, webhookId, isDelivered, restSeconds],
      );
  await db.query(
    `update deliveries set tries = tries + 1, state = $3, due_at = now() + make_interval(secs => $4),
       attempts = attempts || jsonb_build_object('at', instant_text(now()), 'outcome', $5::text, 'status', $6::integer, 'ms', $7::integer)
     where site_id = $1 and delivery_id = $2`,
    [siteId, deliveryId, state, nextInSeconds ?? 0, outcome, status, ms],
  );
  return { failingSince: rows[0]?.failingSince ?? null };
}

export async function letGo(db: Db, { siteId, webhookId }: Claimed): Promise<void> {
  await db.query(
    'update webhooks set leased_until = clock_timestamp() where site_id = $1 and webhook_id = $2',
    [siteId, webhookId],
  );
}

/** returns  whether it was on */
export async function disableWebhook(
  db: Db,
  siteId: string,
  webhookId: string,
  why: 'by_hand' | 'gone' | 'failures',
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update webhooks set disabled_at = now(), disabled_why = $3, version = version + 1
     where site_id = $1 and webhook_id = $2 and disabled_at is null`,
    [siteId, webhookId, why],
  );
  return (rowCount ?? 0) > 0;
}

export async function hasListeners(db: Db, siteId: string): Promise<boolean> {
  const { rows } = await db.query<{ has: boolean }>(
    'select exists (select from webhooks where site_id = $1 and disabled_at is null) as has',
    [siteId],
  );
  return rows[0]!.has;
}

/** Milliseconds until something is due; null: nothing waits. */
export async function nextDueIn(db: Db): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>(
    `select (extract(epoch from min(greatest(d.due_at, w.resting_until, w.leased_until)) - now()) * 1000)::float8 as ms
     from webhooks w cross join lateral (select due_at from deliveries d where d.site_id = w.site_id and d.webhook_id = w.webhook_id
       and d.state = 'pending' order by due_at limit 1) d
     where w.site_id = any (current_sites()) and w.disabled_at is null`,
  );
  return rows[0]!.ms;
}

const LOG_MAX = 10_000;

/** Ends the oldest of endpoints with too many; what waits stays longest. returns  how many, and of them such as waited */
export async function trimDeliveries(db: Db): Promise<{ gone: number; dropped: number }> {
  const { rows } = await db.query<{ gone: number; dropped: number }>(
    `with many as (
       select w.site_id, w.webhook_id from webhooks w where w.site_id = any (current_sites())
         and exists (select from deliveries d where d.site_id = w.site_id and d.webhook_id = w.webhook_id
           order by delivery_id offset ${LOG_MAX} limit 1) order by 1, 2 for update
     ), old as (
       select delivery_id from (
         select delivery_id, row_number() over (partition by site_id, webhook_id order by state = 'pending' desc, delivery_id desc) as nth
         from deliveries join many using (site_id, webhook_id)) counted where nth > ${LOG_MAX}
     ), ended as (
       -- by lists, whatever the planner believes: where it took the log for a handful of rows it compared all with all
       delete from deliveries d where d.site_id = any (array(select site_id from many)) and d.delivery_id = any (array(select delivery_id from old))
       returning d.site_id, d.webhook_id, d.state
     ), lost as (
       update webhooks w set dropped = dropped + n
       from (select site_id, webhook_id, count(*) as n from ended where state = 'pending' group by 1, 2) e
       where w.site_id = e.site_id and w.webhook_id = e.webhook_id
     )
     select count(*)::int as gone, count(*) filter (where state = 'pending')::int as dropped from ended`,
  );
  return rows[0]!;
}
