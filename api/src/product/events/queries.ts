// The SQL door of events.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { ArrivedEvent } from './enrich.ts';
import { asSeenJson, type Outcome, type Unseen } from './notification-events.ts';
import { asBinaryArray } from './wire.ts';

export interface StoredEvent {
  eventId: string;
  visitorId: string;
  /** null: a duplicate whose raw row was purged meanwhile */
  sessionId: string | null;
  duplicate: boolean;
  /** Of a notification, and not stored: why. */
  refused?: Unseen;
}

interface Row {
  /** A session each, in the order of arrival; NULL: stored before. As PostgreSQL writes an array: {…,…} */
  sessions: string;
  /** Whose each is, in the same order; null: everybody's own. */
  visitors: string | null;
  known: { n: number; event_id: string; visitor_id: string; session_id: string | null }[] | null;
  /** Of what was seen of notifications, where it stood in the batch. */
  outcomes?: Outcome[] | null;
}

// One statement, so one transaction: what was seen of notifications is stored with the batch it came in, or not at all.
const INGEST_BOTH = `select sessions::text, visitors::text, known, outcomes
  from store_notification_events($6, '[]', $5) as outcomes cross join store_events($1, $2, $3, $4, $5)`;
const INGEST_SEEN = 'select store_notification_events($1, $2, $3) as outcomes';
const INGEST = 'select sessions::text, visitors::text, known from store_events($1, $2, $3, $4, $5)';
const listOf = (array: string) => array.slice(1, -1).split(',');

const isPlain = ({ body_key, day_before, follows }: ArrivedEvent) => !body_key && !day_before && !follows;

const typeOids = new WeakMap<Db, number>();

/** The number this database has for the type arrived_event; asked once a pool. */
async function typeOid(db: Db): Promise<number> {
  let known = typeOids.get(db);
  if (known === undefined) {
    const { rows } = await db.query<{ oid: number }>("select 'arrived_event'::regtype::oid as oid");
    known = rows[0]!.oid;
    typeOids.set(db, known);
  }
  return known;
}

/**
 * Stores a batch in one round trip (ingest_events.sql); with a pool in a transaction of its own, which is committed
 * when this resolves, else in the caller's.
 * arrived   distinct by event_id and by body_key
 * repeated  duplicates recognised before, by site: counted, nothing else
 * copies    and of what was seen of notifications, by event_id
 * returns   by arrived event_id
 */
export async function ingestEvents(
  db: Db,
  arrived: ArrivedEvent[],
  repeated: Map<string, number>,
  inactivityMinutes: number,
  copies: Map<string, number> = new Map(),
): Promise<Map<string, StoredEvent>> {
  const results = new Map<string, StoredEvent>();
  const seen = arrived.filter((event) => event.seen);
  const visits = seen.length > 0 ? arrived.filter((event) => !event.seen) : arrived;
  const sites = new Set(repeated.keys());
  for (const event of arrived) sites.add(event.site_id);
  const ownSites = [...sites].join(',');
  const repeatedJson =
    repeated.size === 0
      ? '[]'
      : JSON.stringify(Array.from(repeated, ([site_id, count]) => ({ site_id, count })));
  if (visits.length === 0) {
    const { rows } = await db.query<Pick<Row, 'outcomes'>>({
      name: 'ingest_seen',
      text: INGEST_SEEN,
      values: [asSeenJson(seen, copies), repeatedJson, ownSites],
    });
    tellSeen(seen, rows[0]!.outcomes, results);
    return results;
  }
  const values = [
    asBinaryArray(visits, await typeOid(db)),
    visits.every(isPlain),
    repeatedJson,
    `${inactivityMinutes} minutes`,
    ownSites,
  ];
  const { rows } = await db.query<Row>(
    seen.length === 0
      ? { name: 'ingest_events', text: INGEST, values }
      : { name: 'ingest_both', text: INGEST_BOTH, values: [...values, asSeenJson(seen, copies)] },
  );
  tellVisits(visits, rows[0]!, results);
  tellSeen(seen, rows[0]!.outcomes, results);
  return results;
}

function tellVisits(visits: ArrivedEvent[], stored: Row, results: Map<string, StoredEvent>): void {
  const { sessions, visitors, known } = stored;
  const sessionIds = listOf(sessions);
  const visitorIds = visitors === null ? null : listOf(visitors);
  for (let n = 0; n < visits.length; n += 1) {
    const { event_id, visitor_id } = visits[n]!;
    results.set(event_id, {
      eventId: event_id,
      visitorId: visitorIds?.[n] ?? visitor_id,
      sessionId: sessionIds[n]!,
      duplicate: false,
    });
  }
  for (const { n, event_id, visitor_id, session_id } of known ?? [])
    results.set(visits[n - 1]!.event_id, {
      eventId: event_id,
      visitorId: visitor_id,
      sessionId: session_id,
      duplicate: true,
    });
}

function tellSeen(
  seen: ArrivedEvent[],
  outcomes: Outcome[] | null | undefined,
  results: Map<string, StoredEvent>,
): void {
  const told = new Map(outcomes?.map((one) => [one.n, one]));
  for (const [i, { event_id, visitor_id }] of seen.entries()) {
    const one = told.get(i + 1);
    results.set(event_id, {
      eventId: event_id,
      visitorId: one?.visitor_id ?? visitor_id,
      sessionId: null,
      duplicate: one?.outcome === 'duplicate',
      ...(one && one.outcome !== 'duplicate' ? { refused: one.outcome } : {}),
    });
  }
}

export interface Refusal {
  site_id: string;
  /** UTC day of arrival */
  day: string;
  reason: string;
  count: number;
}

export interface PageOrigin {
  site_id: string;
  origin: string;
  taken: number;
  refused: number;
}

const ORIGINS_PER_SITE_MAX = 200;

export async function addToLedger(
  pool: Pool,
  gathered: {
    refusals: Refusal[];
    samples: { site_id: string; route: string; reason: string; details: unknown }[];
    latencies: { site_id: string; bucket: number; count: number }[];
    origins: PageOrigin[];
  },
): Promise<void> {
  const { refusals, samples, latencies, origins } = gathered;
  const siteIds = [...new Set([...refusals, ...latencies, ...origins].map((entry) => entry.site_id))];
  await inSites(pool, siteIds, async (db) => {
    await db.query(
      `insert into ingest_ledger as l (site_id, day, outcome, reason, count)
       select site_id, day, outcome, case outcome when 'rejected' then reason else '' end, sum(count)
       from json_to_recordset($1) as r (site_id uuid, day date, reason text, count bigint), (values ('received'), ('rejected')) outcomes (outcome)
       group by 1, 2, 3, 4 order by 1, 2, 3, 4
       on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count`,
      [JSON.stringify(refusals)],
    );
    await db.query(
      `insert into rejections (site_id, route, reason, details)
       select site_id, route, reason, details from json_to_recordset($1) as r (site_id uuid, route text, reason text, details jsonb)`,
      [JSON.stringify(samples)],
    );
    await db.query(
      `insert into ingest_latencies as l (site_id, day, bucket, count)
       select site_id, (now() at time zone 'UTC')::date, bucket, sum(count)
       from json_to_recordset($1) as r (site_id uuid, bucket smallint, count bigint) group by 1, 2, 3 order by 1, 2, 3
       on conflict (site_id, day, bucket) do update set count = l.count + excluded.count`,
      [JSON.stringify(latencies)],
    );
    if (origins.length > 0)
      await db.query(
        `insert into page_origins as o (site_id, origin, taken, refused)
         select site_id, origin, taken, refused from json_to_recordset($1) as r (site_id uuid, origin text, taken bigint, refused bigint)
         where exists (select from page_origins k where k.site_id = r.site_id and k.origin = r.origin)
           or (select count(*) from page_origins k where k.site_id = r.site_id) < $2
         order by 1, 2
         on conflict (site_id, origin) do update
         set taken = o.taken + excluded.taken, refused = o.refused + excluded.refused, last_seen_at = now()`,
        [JSON.stringify(origins), ORIGINS_PER_SITE_MAX],
      );
  });
}

export interface SeenOrigin {
  origin: string;
  taken: number;
  refused: number;
  firstSeenAt: string;
  lastSeenAt: string;
}

/** Origins of pages that sent to a site while it did not list them, the busiest first. */
export async function listPageOrigins(pool: Pool, siteId: string): Promise<SeenOrigin[]> {
  return inSites(pool, [siteId], async (db) => {
    const { rows } = await db.query<{
      origin: string;
      taken: string;
      refused: string;
      first_seen_at: Date;
      last_seen_at: Date;
    }>(
      'select * from page_origins where site_id = $1 order by taken + refused desc, last_seen_at desc, origin',
      [siteId],
    );
    return rows.map((row) => ({
      origin: row.origin,
      taken: Number(row.taken),
      refused: Number(row.refused),
      firstSeenAt: row.first_seen_at.toISOString(),
      lastSeenAt: row.last_seen_at.toISOString(),
    }));
  });
}

export interface SeenLately {
  firstDay: string | null;
  lastEvents: { path: string; browser: string | null; at: string }[];
  botsOnly: boolean;
}

/** The last hour of a site, bounded by time; inside inSites. */
export async function findPulse(db: Db, siteId: string): Promise<SeenLately> {
  const { rows } = await db.query<SeenLately>({
    name: 'find_pulse',
    text: `with recent as materialized (
       select path, browser, occurred_at, bot_reason from events
       where site_id = $1 and occurred_at > now() - interval '1 hour' and event_type = 'page_view'
       order by occurred_at desc limit 500
     )
     select (select min(day) from daily_metric_rollups where site_id = $1 and human_events > 0) as "firstDay",
       coalesce((select json_agg(seen) from (
         select split_part(path, '?', 1) as path, browser, instant_text(occurred_at) as at
         from recent where bot_reason is null order by occurred_at desc limit 5) seen), '[]') as "lastEvents",
       exists (select from recent) and not exists (select from recent where bot_reason is null) as "botsOnly"`,
    values: [siteId],
  });
  return rows[0]!;
}

/** Forgets digests of bodies that can no longer make a duplicate. */
export async function purgeRecentBodies(pool: Pool, siteIds: string[]): Promise<number> {
  return inSites(
    pool,
    siteIds,
    async (db) =>
      (await db.query("delete from recent_bodies where seen_at < now() - interval '2 minutes'")).rowCount ??
      0,
  );
}
