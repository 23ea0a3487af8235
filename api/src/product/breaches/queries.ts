// The SQL door of the register of breaches, inside a transaction of inSites. A breach is a row at each site that it concerns, under one
// id: whoever answers for a site reads it as one of theirs, and only who answers for all of its sites changes it.
import type { Db } from '../../ground/db/pool.ts';
import type { Breach, BreachChange, BreachPatch, NewBreach } from './schema.ts';

const COLUMNS: Record<keyof BreachPatch, string> = {
  title: 'title',
  description: 'description',
  discoveredAt: 'discovered_at',
  happenedAt: 'happened_at',
  affectedCount: 'affected_count',
  dataKinds: 'data_kinds',
  harm: 'harm',
  measures: 'measures',
  realRisk: 'real_risk',
  realRiskWhy: 'real_risk_why',
  quebecCount: 'quebec_count',
  notices: 'notices',
  authorities: 'authorities',
  tellPeople: 'tell_people',
  tellPeopleWhy: 'tell_people_why',
  authorityToldAt: 'authority_told_at',
  peopleToldAt: 'people_told_at',
  closedAt: 'closed_at',
};
const AS_BREACH = `breach_id as "breachId", site_id as "siteId", site_count as "siteCount", ${Object.entries(
  COLUMNS,
)
  .map(([name, column]) => `${column.endsWith('_at') ? `instant_text(${column})` : column} as "${name}"`)
  .join(', ')}, instant_text(created_at) as "createdAt", instant_text(updated_at) as "updatedAt"`;

/** SQL: an authority that must be told was not, or nobody decided which must. */
const AUTHORITY_OPEN = `case when authorities is null then authority_told_at is null
  else exists (select from unnest(authorities) as a (who) where lower(who) not in (select lower(n ->> 'who') from jsonb_array_elements(notices) as n)) end`;
const PEOPLE_OPEN = 'people_told_at is null and tell_people is distinct from false';
/** SQL: somebody who must know was not told, nor is it decided that they need not be. */
export const UNTOLD = `(real_risk is distinct from false and (${AUTHORITY_OPEN} or ${PEOPLE_OPEN}))`;

const columnOf = (name: string) => COLUMNS[name as keyof BreachPatch];
// pg would send a list as an array of PostgreSQL's
const asValue = ([name, value]: [string, unknown]) => (name === 'notices' ? JSON.stringify(value) : value);

export type BreachCursor = [discoveredAt: string, breachId: string];

/** Of the sites that the transaction sees, the latest discovered first, each once. */
export async function listBreaches(db: Db, after: BreachCursor | null, limit: number): Promise<Breach[]> {
  const { rows } = await db.query<Breach>(
    `select distinct on (discovered_at, breach_id) ${AS_BREACH} from breaches
     where site_id = any (current_sites())
       and ($1::timestamptz is null or discovered_at < $1 or (discovered_at = $1 and breach_id > $2::uuid))
     order by discovered_at desc, breach_id, site_id limit $3`,
    [...(after ?? [null, null]), limit],
  );
  return rows;
}

const toldOf = ({ isUntold, ...breach }: Breach & { isUntold: boolean }) => ({ breach, isUntold });

/** Of each of these sites. returns  also whether somebody is to be told still */
export async function insertBreach(
  db: Db,
  siteIds: readonly string[],
  breach: NewBreach,
): Promise<{ breach: Breach; isUntold: boolean }> {
  const given = Object.entries(breach).filter(([, value]) => value !== undefined && value !== null);
  const { rows } = await db.query<Breach & { isUntold: boolean }>(
    `with one as materialized (select uuidv7() as breach_id), made as (
       insert into breaches (site_id, breach_id, site_count${given.map(([name]) => `, ${columnOf(name)}`).join('')})
       select site_id, breach_id, cardinality($1::uuid[])${given.map((_, i) => `, $${i + 2}`).join('')}
       from one, unnest($1::uuid[]) as s (site_id) returning *)
     select ${AS_BREACH}, ${UNTOLD} as "isUntold" from made order by site_id limit 1`,
    [siteIds, ...given.map(asValue)],
  );
  return toldOf(rows[0]!);
}

/** returns  null when none of the sites that the transaction sees has this breach */
export async function findBreach(db: Db, breachId: string): Promise<Breach | null> {
  const { rows } = await db.query<Breach>(
    `select ${AS_BREACH} from breaches where breach_id = $1 and site_id = any (current_sites()) order by site_id limit 1`,
    [breachId],
  );
  return rows[0] ?? null;
}

/** Until the transaction ends. returns  at how many of the sites that it sees there is this breach */
export async function lockBreach(db: Db, breachId: string): Promise<number> {
  const { rowCount } = await db.query(
    'select from breaches where breach_id = $1 and site_id = any (current_sites()) order by site_id for update',
    [breachId],
  );
  return rowCount!;
}

/** What it said before each change, the latest change first. */
export async function listChanges(db: Db, { siteId, breachId }: Breach): Promise<BreachChange[]> {
  const { rows } = await db.query<BreachChange>(
    `select instant_text(changed_at) as "changedAt", before from breach_changes
     where site_id = $1 and breach_id = $2 order by change_id desc limit 500`,
    [siteId, breachId],
  );
  return rows;
}

/** Keeps what the changed fields said. before  locked by lockBreach, at all of its sites. returns  also whether somebody is to be told still */
export async function updateBreach(
  db: Db,
  before: Breach,
  patch: BreachPatch,
): Promise<{ breach: Breach; isUntold: boolean }> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const changes = given.map(([name], i) => `, ${columnOf(name)} = $${i + 2}`).join('');
  const said = Object.fromEntries(given.map(([name]) => [name, before[name as keyof Breach]]));
  await db.query(
    `insert into breach_changes (site_id, breach_id, before)
     select site_id, breach_id, $2 from breaches where breach_id = $1 and site_id = any (current_sites())`,
    [before.breachId, JSON.stringify(said)],
  );
  const { rows } = await db.query<Breach & { isUntold: boolean }>(
    `with changed as (
       update breaches set updated_at = now()${changes}
       where breach_id = $1 and site_id = any (current_sites()) returning *)
     select ${AS_BREACH}, ${UNTOLD} as "isUntold" from changed order by site_id limit 1`,
    [before.breachId, ...given.map(asValue)],
  );
  return toldOf(rows[0]!);
}
