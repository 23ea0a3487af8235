// The SQL door of the outbox. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';

export interface News {
  seq: number;
  type: string;
  data: Record<string, unknown>;
  at: Date;
}

/** Of one site, in their order. after: the number before the first */
export async function listNews(db: Db, siteId: string, after: number, limit: number): Promise<News[]> {
  const { rows } = await db.query<News>(
    'select seq, type, data, at from outbox where site_id = $1 and seq > $2 order by seq limit $3',
    [siteId, after, limit],
  );
  return rows;
}

export interface Ends {
  /** The last number there was; 0 for a site that was never listened to. */
  lastSeq: number;
  /** Whoever saw up to this number, or a later one, has missed nothing. */
  wholeSince: number;
}

export async function findEnds(db: Db, siteId: string): Promise<Ends> {
  const { rows } = await db.query<Ends>(
    `select coalesce(h.last_seq, 0) as "lastSeq", greatest(coalesce(h.lapsed, 0), coalesce(first.seq - 1, h.last_seq, 0)) as "wholeSince"
     from (select min(seq) as seq from outbox where site_id = $1) first left join outbox_heads h on h.site_id = $1`,
    [siteId],
  );
  return rows[0]!;
}

/**
 * Until when a site's outbox is filled at least; an earlier moment shortens nothing. After a time in which nobody was told a number
 * is left out: whoever has one of before finds that something may be missing.
 */
export async function listenUntil(db: Db, siteId: string, until: Date | 'infinity'): Promise<void> {
  await db.query(
    `insert into outbox_heads as h (site_id, listened_until) values ($1, $2)
     on conflict (site_id) do update set listened_until = greatest(h.listened_until, excluded.listened_until),
       last_seq = h.last_seq + (h.listened_until <= now())::integer,
       lapsed = case when h.listened_until <= now() then h.last_seq + 1 else h.lapsed end
     where h.listened_until < excluded.listened_until`,
    [siteId, until],
  );
}

/** No endpoint is there any more; what a stream asked for lasts another day. */
export async function listenADayMore(db: Db, siteId: string): Promise<void> {
  await db.query(
    "update outbox_heads set listened_until = now() + interval '1 day' where site_id = $1 and listened_until = 'infinity'",
    [siteId],
  );
}

/** returns  its number; null when nobody listens */
export async function insertNews(
  db: Db,
  siteId: string,
  type: string,
  data: Record<string, unknown>,
  leadId: string | null = null,
): Promise<number | null> {
  const { rows } = await db.query<{ seq: number | null }>('select tell_others($1, $2, $3, $4) as seq', [
    siteId,
    type,
    JSON.stringify(data),
    leadId,
  ]);
  return rows[0]!.seq;
}

export const CHANNEL = 'outbox';

/** Tells all processes that a site's outbox has grown; inside a transaction, with its commit: for jobs, which write seldom. */
export async function notifyGrown(db: Db, siteId: string, seq: number): Promise<void> {
  await db.query('select pg_notify($1, $2)', [CHANNEL, `${siteId} ${seq}`]);
}
