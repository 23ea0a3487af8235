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
  data_region: string | null;
  over_plan: boolean;
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
  dataRegion: row.data_region,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** What a running process has to know of a site beside itself. */
export interface ListedSite {
  site: Site;
  isOverPlan: boolean;
}

export async function listSites(db: Db): Promise<ListedSite[]> {
  const { rows } = await db.query<Row>('select * from sites order by created_at, site_id');
  return rows.map((row) => ({ site: asSite(row), isOverPlan: row.over_plan }));
}

/** Sites of which nobody said where their data has to be: from now on it is where it is. */
export async function adoptRegion(db: Db, region: string): Promise<void> {
  await db.query('update sites set data_region = $1 where data_region is null', [region]);
}

export async function insertSite(db: Db, site: NewSite): Promise<Site> {
  const { rows } = await db.query<Row>(
    'insert into sites (key, name, domain, origins, settings, data_region) values ($1, $2, $3, $4, $5, $6) returning *',
    [site.key, site.name, site.domain, site.origins, site.settings, site.dataRegion ?? null],
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
         where value <> 'null'), '{}'), data_region = coalesce($8, data_region), updated_at = now()
     where site_id = $1 returning *`,
    [
      siteId,
      patch.key ?? null,
      patch.name ?? null,
      patch.domain !== undefined,
      patch.domain ?? null,
      patch.origins ?? null,
      patch.settings ?? null,
      patch.dataRegion ?? null,
    ],
  );
  return rows[0] ? asSite(rows[0]) : null;
}
