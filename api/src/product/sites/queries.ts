// The SQL door of sites.
import type { Db } from '../../ground/db/pool.ts';
import type { Site } from '../../ground/site.ts';
import type { NewSite, SitePatch } from './schema.ts';

interface Row {
  site_id: string;
  key: string;
  name: string;
  domain: string | null;
  origins: string[];
  settings: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
}

const asSite = (row: Row): Site => ({
  siteId: row.site_id,
  key: row.key,
  name: row.name,
  domain: row.domain,
  origins: row.origins,
  settings: row.settings,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export async function listSites(db: Db): Promise<Site[]> {
  return (await db.query<Row>('select * from sites order by created_at, site_id')).rows.map(asSite);
}

export async function insertSite(db: Db, site: NewSite): Promise<Site> {
  const { rows } = await db.query<Row>(
    'insert into sites (key, name, domain, origins, settings) values ($1, $2, $3, $4, $5) returning *',
    [site.key, site.name, site.domain, site.origins, site.settings],
  );
  return asSite(rows[0]!);
}

/** Locked until the transaction ends. returns null when there is no such site */
export async function lockSite(db: Db, siteId: string): Promise<Site | null> {
  const { rows } = await db.query<Row>('select * from sites where site_id = $1 for update', [siteId]);
  return rows[0] ? asSite(rows[0]) : null;
}

/** Whether PostgreSQL, which cuts the days, knows the zone. */
export async function knowsTimeZone(db: Db, zone: string): Promise<boolean> {
  return (await db.query('select from pg_timezone_names where name = $1', [zone])).rowCount === 1;
}

/** returns null when there is no such site; settings are merged, a null removes its key */
export async function updateSite(db: Db, siteId: string, patch: SitePatch): Promise<Site | null> {
  const { rows } = await db.query<Row>(
    `update sites set key = coalesce($2, key), name = coalesce($3, name),
       domain = case when $4 then $5 else domain end, origins = coalesce($6, origins),
       settings = coalesce((select jsonb_object_agg(name, value) from jsonb_each(settings || coalesce($7, '{}'::jsonb)) as kept (name, value)
         where value <> 'null'), '{}'), updated_at = now()
     where site_id = $1 returning *`,
    [
      siteId,
      patch.key ?? null,
      patch.name ?? null,
      patch.domain !== undefined,
      patch.domain ?? null,
      patch.origins ?? null,
      patch.settings ?? null,
    ],
  );
  return rows[0] ? asSite(rows[0]) : null;
}
