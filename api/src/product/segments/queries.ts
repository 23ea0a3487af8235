// The SQL door of segments. Inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import { filterOf } from './filters.ts';
import type { Segment, SegmentPatch } from './schema.ts';

/** As it stands, before it is asked who looks. */
export type SegmentRow = Omit<Segment, 'mayChange' | 'stale'> & { userId: string | null };

const AS_SEGMENT = `segment_id as "segmentId", name, filters, case when user_id is null then 'site' else 'mine' end as scope, made_by as "madeBy", version,
  user_id as "userId"`;

/** The site's and one person's own, by name. */
export async function listSegments(db: Db, siteId: string, userId: string | null): Promise<SegmentRow[]> {
  const { rows } = await db.query<SegmentRow>(
    `select ${AS_SEGMENT} from segments where site_id = $1 and (user_id is null or user_id = $2) order by lower(name), segment_id`,
    [siteId, userId],
  );
  return rows;
}

/** userId  whose own is among them; null: nobody's. returns  null when there is none for them */
export async function findSegment(
  db: Db,
  siteId: string,
  segmentId: string,
  userId: string | null,
): Promise<SegmentRow | null> {
  const { rows } = await db.query<SegmentRow>(
    `select ${AS_SEGMENT} from segments where site_id = $1 and segment_id = $2 and (user_id is null or user_id = $3)`,
    [siteId, segmentId, userId],
  );
  return rows[0] ?? null;
}

/** The same, locked until the transaction ends. */
export async function lockSegment(
  db: Db,
  siteId: string,
  segmentId: string,
  userId: string | null,
): Promise<SegmentRow | null> {
  const { rows } = await db.query<SegmentRow>(
    `select ${AS_SEGMENT} from segments where site_id = $1 and segment_id = $2 and (user_id is null or user_id = $3) for update`,
    [siteId, segmentId, userId],
  );
  return rows[0] ?? null;
}

export interface NewRow {
  siteId: string;
  name: string;
  filters: string[];
  userId: string | null;
  madeBy: string;
}

/** most  of the site's, or of this person's own. returns  null when there are as many */
export async function insertSegment(
  db: Db,
  { siteId, name, filters, userId, madeBy }: NewRow,
  most: number,
): Promise<SegmentRow | null> {
  // one after the other, or two at once would both be the last
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' segments', 8))", [siteId]);
  const { rows } = await db.query<SegmentRow>(
    `insert into segments (site_id, name, filters, user_id, made_by)
     select $1, $2, $3, $4, $5 where (select count(*) from segments where site_id = $1 and user_id is not distinct from $4) < $6
     returning ${AS_SEGMENT}`,
    [siteId, name, filters, userId, madeBy, most],
  );
  return rows[0] ?? null;
}

export async function updateSegment(
  db: Db,
  siteId: string,
  segmentId: string,
  { name, filters }: SegmentPatch,
): Promise<SegmentRow> {
  const { rows } = await db.query<SegmentRow>(
    `update segments set name = coalesce($3, name), filters = coalesce($4, filters), version = version + 1, updated_at = now()
     where site_id = $1 and segment_id = $2 returning ${AS_SEGMENT}`,
    [siteId, segmentId, name ?? null, filters ?? null],
  );
  return rows[0]!;
}

export async function deleteSegment(db: Db, siteId: string, segmentId: string): Promise<void> {
  await db.query('delete from segments where site_id = $1 and segment_id = $2', [siteId, segmentId]);
}

/** Of these filters those whose value no kept visit has; what only holds a text, or leaves something out, is never one. */
export async function findStale(db: Db, siteId: string, texts: readonly string[]): Promise<Set<string>> {
  const named = [...new Set(texts)].flatMap((text) => {
    const one = filterOf(text);
    return one && one.op === 'is' && one.value !== '' ? [{ text, dim: one.dim, value: one.value }] : [];
  });
  if (named.length === 0) return new Set();
  const { rows } = await db.query<{ text: string }>(
    `with asked as (select * from json_to_recordset($2) as a (text text, dim text, value text)
     ), origins as (
       select source, campaign, referrer, device_type, browser, os, country from visit_origins where site_id = $1
       union select source, campaign, referrer, coalesce(device_type, 'unknown'), coalesce(browser, 'unknown'), coalesce(os, 'unknown'), coalesce(country, 'unknown')
       from visit_facts where site_id = $1 and begun is not null
     ), known as (
       select distinct by.dim, lower(by.name) as name from origins o cross join lateral (values ('source', o.source), ('campaign', o.campaign),
         ('referrer', o.referrer), ('device', o.device_type), ('browser', o.browser), ('os', o.os), ('country', o.country)) as by (dim, name)
     ), paths as (
       select path from visit_paths where site_id = $1
       union select n.name from visit_facts f cross join lateral unnest(f.kinds, f.names) n (kind, name) where f.site_id = $1 and n.kind = 'page'
     )
     select text from asked a where case when dim in ('landing', 'page') then not exists (select from paths p where p.path = a.value)
       else not exists (select from known k where k.dim = a.dim and k.name = lower(a.value)) end`,
    [siteId, JSON.stringify(named)],
  );
  return new Set(rows.map(({ text }) => text));
}
