// The SQL door of the register of breaches. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Breach, BreachPatch, NewBreach } from './schema.ts';

const COLUMNS: Record<keyof BreachPatch, string> = {
  title: 'title',
  description: 'description',
  discoveredAt: 'discovered_at',
  happenedAt: 'happened_at',
  affectedCount: 'affected_count',
  dataKinds: 'data_kinds',
  harm: 'harm',
  measures: 'measures',
  authorityToldAt: 'authority_told_at',
  peopleToldAt: 'people_told_at',
  closedAt: 'closed_at',
};
const AS_BREACH = `breach_id as "breachId", site_id as "siteId", ${Object.entries(COLUMNS)
  .map(([name, column]) => `${column.endsWith('_at') ? `instant_text(${column})` : column} as "${name}"`)
  .join(', ')}, instant_text(created_at) as "createdAt", instant_text(updated_at) as "updatedAt"`;

const columnOf = (name: string) => COLUMNS[name as keyof BreachPatch];

export type BreachCursor = [discoveredAt: string, breachId: string];

/** Of the sites that the transaction sees, the latest discovered first. */
export async function listBreaches(db: Db, after: BreachCursor | null, limit: number): Promise<Breach[]> {
  const { rows } = await db.query<Breach>(
    `select ${AS_BREACH} from breaches
     where site_id = any (current_sites())
       and ($1::timestamptz is null or discovered_at < $1 or (discovered_at = $1 and breach_id > $2::uuid))
     order by discovered_at desc, breach_id limit $3`,
    [...(after ?? [null, null]), limit],
  );
  return rows;
}

export async function insertBreach(db: Db, siteId: string, breach: NewBreach): Promise<Breach> {
  const given = Object.entries(breach).filter(([, value]) => value !== undefined && value !== null);
  const { rows } = await db.query<Breach>(
    `insert into breaches (site_id, ${given.map(([name]) => columnOf(name)).join(', ')})
     values ($1, ${given.map((_, i) => `$${i + 2}`).join(', ')}) returning ${AS_BREACH}`,
    [siteId, ...given.map(([, value]) => value)],
  );
  return rows[0]!;
}

/** returns  null when none of the sites that the transaction sees has this breach */
export async function updateBreach(db: Db, breachId: string, patch: BreachPatch): Promise<Breach | null> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const changes = given.map(([name], i) => `, ${columnOf(name)} = $${i + 2}`).join('');
  const { rows } = await db.query<Breach>(
    `update breaches set updated_at = now()${changes}
     where breach_id = $1 and site_id = any (current_sites()) returning ${AS_BREACH}`,
    [breachId, ...given.map(([, value]) => value)],
  );
  return rows[0] ?? null;
}
