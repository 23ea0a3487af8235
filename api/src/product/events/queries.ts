// The SQL door of events.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { ArrivedEvent } from './enrich.ts';
import { asBinaryArray } from './wire.ts';

export interface StoredEvent {
  eventId: string;
  visitorId: string;
  /** null: a duplicate whose raw row was purged meanwhile */
  sessionId: string | null;
  duplicate: boolean;
}

interface Row {
  /** arrived id, session id and visitor id of each event stored now, 36 characters each */
  stored: string | null;
  known: { arrived_id: string; event_id: string; visitor_id: string; session_id: string | null }[] | null;
}

// A row of text an event, each with five fields to read, cost as much as making the answers from them.
const INGEST = `select string_agg(concat(arrived_id, session_id, visitor_id), '') filter (where not duplicate) as stored,
  json_agg(json_build_object('arrived_id', arrived_id, 'event_id', event_id, 'visitor_id', visitor_id, 'session_id', session_id))
    filter (where duplicate) as known
from ingest_events($1, $2, $3, $4)`;
const ID_LENGTH = 36;

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
 * returns   by arrived event_id
 */
export async function ingestEvents(
  db: Db,
  arrived: ArrivedEvent[],
  repeated: Map<string, number>,
  inactivityMinutes: number,
): Promise<Map<string, StoredEvent>> {
  const sites = new Set(repeated.keys());
  for (const event of arrived) sites.add(event.site_id);
  const { rows } = await db.query<Row>({
    name: 'ingest_events',
    text: INGEST,
    values: [
      asBinaryArray(arrived, await typeOid(db)),
      repeated.size === 0
        ? '[]'
        : JSON.stringify(Array.from(repeated, ([site_id, count]) => ({ site_id, count }))),
      `${inactivityMinutes} minutes`,
      [...sites].join(','),
    ],
  });
  const { stored, known } = rows[0]!;
  const results = new Map<string, StoredEvent>();
  for (let at = 0; at < (stored?.length ?? 0); at += 3 * ID_LENGTH) {
    const eventId = stored!.slice(at, at + ID_LENGTH);
    const sessionId = stored!.slice(at + ID_LENGTH, at + 2 * ID_LENGTH);
    const visitorId = stored!.slice(at + 2 * ID_LENGTH, at + 3 * ID_LENGTH);
    results.set(eventId, { eventId, visitorId, sessionId, duplicate: false });
  }
  for (const row of known ?? []) {
    results.set(row.arrived_id, {
      eventId: row.event_id,
      visitorId: row.visitor_id,
      sessionId: row.session_id,
      duplicate: true,
    });
  }
  return results;
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
