// The SQL door of the rollups. Every statement runs inside a transaction of inSites and names its site.
import type { Db } from '../../ground/db/pool.ts';

export async function rollUpDay(db: Db, siteId: string, day: string): Promise<'rolled' | 'sealed'> {
  const { rows } = await db.query<{ outcome: 'rolled' | 'sealed' }>('select roll_up_day($1, $2) as outcome', [
    siteId,
    day,
  ]);
  return rows[0]!.outcome;
}

/** As the clockwork does: a day whose visits are counted as they change is not recounted for it. */
export async function rollUpDueDay(db: Db, siteId: string, day: string): Promise<'rolled' | 'sealed'> {
  const { rows } = await db.query<{ outcome: 'rolled' | 'sealed' }>(
    'select roll_up_due_day($1, $2) as outcome',
    [siteId, day],
  );
  return rows[0]!.outcome;
}

/**
 * Counts the visits that changed.
 * patient  those that go on may wait for the next minute, where many changed
 * returns  how many days that were
 */
export async function refreshVisits(db: Db, siteId: string, patient = false): Promise<number> {
  const { rows } = await db.query<{ days: number }>('select refresh_visits($1, $2) as days', [
    siteId,
    patient,
  ]);
  return rows[0]!.days;
}

/** Sites with visits that changed since they were counted. */
export async function findSitesOfDirtyVisits(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ site_id: string }>('select distinct site_id from dirty_visits');
  return rows.map((row) => row.site_id);
}

export interface SiteDay {
  siteId: string;
  day: string;
}

const SITES_SEEN = `select site_id, zone, day_of(now(), zone) as today
  from (select site_id, coalesce(settings ->> 'timeZone', 'UTC') as zone from sites where site_id = any ((select current_sites())::uuid[])) zoned`;

/** The day it is now, in the zone of each site that the transaction sees. */
export async function findToday(db: Db): Promise<SiteDay[]> {
  const { rows } = await db.query<SiteDay>(
    `select site_id as "siteId", today as day from (${SITES_SEEN}) seen`,
  );
  return rows;
}

// A day that takes longer than this share of a minute is recounted less often instead of filling the machine.
const RECOUNT_SHARE = 0.05;

/**
 * Days to be rolled up now, of all sites that the transaction sees, ascending: marked ones, today when its ledger moved,
 * each that was rolled up before it had ended, and each that has come since the last. One whose recount took long waits
 * until that was its share of the time gone by.
 */
export async function findDue(db: Db): Promise<SiteDay[]> {
  const { rows } = await db.query<SiteDay>(
    `with seen as materialized (${SITES_SEEN})
     select site_id as "siteId", day from (
       select site_id, day from dirty_days d join seen using (site_id) where day <= today
       union
       select site_id, day from rollup_state s join seen using (site_id)
       where s.sealed_at is null and s.rolled_up_at < s.ends_at and day < today
       union
       select site_id, d.day::date from seen
       cross join lateral (
         select coalesce((select max(s.day) + 1 from rollup_state s where s.site_id = seen.site_id and s.day <= today),
           (select day_of(min(l.day)::timestamp at time zone 'UTC', zone) from ingest_ledger l where l.site_id = seen.site_id), today) as first
       ) since
       cross join lateral generate_series(least(first, today + 1), today, interval '1 day') d (day)
       union
       select s.site_id, s.day from seen join rollup_state s on s.site_id = seen.site_id and s.day = today
       where s.sealed_at is null and s.ledger_seen <> ledger_of(s.site_id, day_starts(today, zone), day_starts(today + 1, zone))
     ) due
     where not exists (select from rollup_state s where s.site_id = due.site_id and s.day = due.day and s.recount_ms > 60000 * $1::float8
       and s.recounted_at + s.recount_ms / $1::float8 * interval '1 ms' > now())
     order by site_id, day`,
    [RECOUNT_SHARE],
  );
  return rows;
}

/** Sites that have leads whose facts are to be gathered anew. */
export async function findSitesOfDirtyLeads(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ site_id: string }>('select distinct site_id from dirty_leads');
  return rows.map((row) => row.site_id);
}

/** Sites that have leads; their first one is looked for, not all. */
export async function findSitesOfLeads(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ site_id: string }>(
    'select site_id from sites where site_id = any (current_sites()) and exists (select from leads l where l.site_id = sites.site_id)',
  );
  return rows.map((row) => row.site_id);
}

/**
 * Days whose rollup can be compared with raw rows: over, not sealed, not marked, and their raw rows (also those of the
 * sessions that began the day before) are all there. Days that have only a part of a rollup, or none, belong to them.
 */
export async function findComparable(db: Db, from: string, to: string): Promise<SiteDay[]> {
  const { rows } = await db.query<SiteDay>(
    `with seen as materialized (${SITES_SEEN}), known as (
       select site_id, day from rollup_state where day between $1 and $2
       union select site_id, day from daily_metric_rollups where day between $1 and $2
       union select site_id, day from visitor_returns where day between $1 and $2
       union select site_id, day_of(day::timestamp at time zone 'UTC', zone) from ingest_ledger join seen using (site_id)
         where outcome = 'accepted' and day between $1 and $2
     )
     select site_id as "siteId", day from (select * from known where day between $1 and $2) known join seen using (site_id)
     where day < today
       and not exists (select from rollup_state s where s.site_id = known.site_id and s.day in (known.day, known.day - 1) and s.sealed_at is not null)
       and not exists (select from dirty_days d where d.site_id = known.site_id and d.day = known.day)
       and to_regclass('public.events_' || to_char(day_starts(day, zone) at time zone 'UTC', 'YYYYMMDD')) is not null
       and to_regclass('public.events_' || to_char((day_starts(day + 1, zone) - interval '1 millisecond') at time zone 'UTC', 'YYYYMMDD')) is not null
     order by site_id, day`,
    [from, to],
  );
  return rows;
}

/** Only what differs. */
export async function compareDay(
  db: Db,
  siteId: string,
  day: string,
): Promise<{ number: string; raw: number; rollup: number }[]> {
  const { rows } = await db.query<{ number: string; raw: number; rollup: number }>(
    'select number, raw, rollup from compare_day($1, $2)',
    [siteId, day],
  );
  return rows;
}

/** Whether something of this day changed and is still to be counted. */
export async function hasChanged(db: Db, siteId: string, day: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from dirty_visits where site_id = $1 and since < site_day_starts($1, $2::date + 1) and until >= site_day_starts($1, $2)
     union all select from dirty_days where site_id = $1 and day = $2 limit 1`,
    [siteId, day],
  );
  return rowCount !== 0;
}

/** The day is counted again within a minute. */
export async function markDay(db: Db, siteId: string, day: string): Promise<void> {
  // A rollup keeps the rows of visitors it knows; those that point to a wrong day before are made anew.
  await db.query(
    `delete from visitor_days d where site_id = $1 and day = $2 and previous_day is distinct from (
       select coalesce(max(b.day), d.previous_day) from visitor_days b
       where b.site_id = d.site_id and b.visitor_id = d.visitor_id and b.day < d.day)`,
    [siteId, day],
  );
  await db.query("insert into dirty_days (site_id, day, cause) values ($1, $2, 'discrepancy')", [
    siteId,
    day,
  ]);
}

const LEADS_COMPARED = 2000;

/**
 * Compares the kept facts of the next leads with their sources, and marks those that differ.
 * after  the last lead of the bite before, null at first; so is the answer's `last` at the end
 */
export async function compareLeads(
  db: Db,
  siteId: string,
  after: string | null,
): Promise<{ last: string | null; differing: number }> {
  const { rows } = await db.query<{ last: string | null; differing: number }>(
    `with compared as materialized (select last_lead, differing from compare_lead_facts($1, $2, $3)),
     marked as (insert into dirty_leads (site_id, lead_id) select $1, unnest(differing) from compared returning lead_id)
     select last_lead as last, (select count(*) from marked)::int as differing from compared`,
    [siteId, after, LEADS_COMPARED],
  );
  return rows[0]!;
}

export interface LedgerDay {
  siteId: string;
  day: string;
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
}

/** Every site day of the ledger, of the sites that the transaction sees, and those that do not balance. */
export async function findImbalances(
  db: Db,
  from: string,
  to: string,
): Promise<{ days: number; unbalanced: LedgerDay[] }> {
  const { rows } = await db.query<{ days: number; unbalanced: LedgerDay[] }>(
    `with days as (
       select site_id as "siteId", day, coalesce(sum(count) filter (where outcome = 'received'), 0) as received,
         coalesce(sum(count) filter (where outcome = 'accepted'), 0) as accepted,
         coalesce(sum(count) filter (where outcome = 'duplicate'), 0) as duplicate,
         coalesce(sum(count) filter (where outcome = 'rejected'), 0) as rejected
       from ingest_ledger where day between $1 and $2 group by 1, 2
     )
     select count(*) as days, coalesce(json_agg(days order by day, "siteId") filter (where received <> accepted + duplicate + rejected), '[]') as unbalanced
     from days`,
    [from, to],
  );
  return rows[0]!;
}

// Some milliseconds a bite; captures wait for none of it.
const FACTS_BITE = 1000;

/** Brings the kept facts of leads up to date, a bounded bite. returns whether there may be more to do */
export async function refreshLeadFacts(db: Db, siteId: string): Promise<boolean> {
  const { rows } = await db.query<{ marks: number }>('select refresh_lead_facts($1, $2) as marks', [
    siteId,
    FACTS_BITE,
  ]);
  return rows[0]!.marks >= FACTS_BITE;
}

export interface RollupStatus {
  rolledUpThrough: string | null;
  /** Days from there to the site's today. */
  lagDays: number | null;
  discrepancies: number | null;
  imbalances: number | null;
}

/** The worst of these sites; what the last comparison with raw rows and the last look at the ledger found. */
export async function findRollupStatus(db: Db): Promise<RollupStatus> {
  const { rows } = await db.query<RollupStatus>(
    `select min(through) as "rolledUpThrough", max(today - through) as "lagDays",
       (select (result ->> 'discrepancies')::int from job_runs where job = 'discrepancy' and state = 'succeeded'
        order by started_at desc limit 1) as discrepancies,
       (select (result ->> 'imbalances')::int from job_runs where job = 'ledger' and state = 'succeeded'
        order by started_at desc limit 1) as imbalances
     from (
       select today, (select max(day) from rollup_state s where s.site_id = seen.site_id and s.day <= today) as through
       from (${SITES_SEEN}) seen
     ) sites`,
  );
  return rows[0]!;
}
