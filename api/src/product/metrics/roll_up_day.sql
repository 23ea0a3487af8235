-- The instants of a site's day, for its rollup. After a sealed day it begins where that one ended, in whatever zone the site
-- was then: no event is counted twice, none is lost.
create or replace function rolled_range(for_site uuid, for_day date, out zone text, out starts timestamptz, out ends timestamptz)
language sql stable as $$
  select zone, day_starts(for_day, coalesce((
    select time_zone from rollup_state where site_id = for_site and day = for_day - 1 and sealed_at is not null), zone)), day_starts(for_day + 1, zone)
  from (select site_zone(for_site) as zone) as site
$$;

-- What of the ledger, which is kept by UTC day of arrival, may have changed a day: all that its UTC days count.
create or replace function ledger_of(for_site uuid, starts timestamptz, ends timestamptz) returns bigint
language sql stable as $$
  select coalesce((select sum(count) from ingest_ledger where site_id = for_site
      and day between (starts at time zone 'UTC')::date and ((ends - interval '1 millisecond') at time zone 'UTC')::date), 0)
    + coalesce((select sum(count) from ingest_latencies where site_id = for_site
      and day between (starts at time zone 'UTC')::date and ((ends - interval '1 millisecond') at time zone 'UTC')::date), 0)
$$;

-- What the ledger, which is kept by UTC day of arrival, says of this day: every UTC day that it touches, save a neighbour that is sealed.
create or replace function roll_up_ledger(for_site uuid, for_day date, starts timestamptz, ends timestamptz) returns void
language sql as $$
  insert into daily_ingest_rollups as i (site_id, day, received, accepted, duplicate, rejected, rejected_by_reason, latencies)
  select for_site, utc.day, coalesce(sum(count) filter (where outcome = 'received'), 0),
    coalesce(sum(count) filter (where outcome = 'accepted'), 0), coalesce(sum(count) filter (where outcome = 'duplicate'), 0),
    coalesce(sum(count) filter (where outcome = 'rejected'), 0),
    coalesce((select jsonb_object_agg(reason, count) from (
      select reason, sum(count) as count from ingest_ledger l
      where l.site_id = for_site and l.day = utc.day and outcome = 'rejected' group by 1) reasons), '{}'),
    coalesce((select jsonb_object_agg(bucket, count) from ingest_latencies l where l.site_id = for_site and l.day = utc.day), '{}')
  from (
    select for_day + n as day from generate_series((starts at time zone 'UTC')::date - for_day,
      ((ends - interval '1 millisecond') at time zone 'UTC')::date - for_day) as n
    where n = 0 or not exists (select from rollup_state z where z.site_id = for_site and z.day = for_day + n and z.sealed_at is not null)
  ) utc left join ingest_ledger known on known.site_id = for_site and known.day = utc.day
  group by utc.day
  on conflict (site_id, day) do update
  set received = excluded.received, accepted = excluded.accepted, duplicate = excluded.duplicate, rejected = excluded.rejected,
    rejected_by_reason = excluded.rejected_by_reason, latencies = excluded.latencies
  where i is distinct from excluded
$$;

-- Days whose facts of visits are kept, so that they can be counted on: events of 24 hours ago still come, and belong to a
-- visit that began the day before.
create or replace function is_open_day(day date, today date) returns boolean language sql immutable return day >= today - 2;

-- Counts these visitors' part of a day, or the whole day.
create or replace function count_day(for_site uuid, for_day date, starts timestamptz, ends timestamptz, wanted uuid[], keeps boolean) returns void
language plpgsql as $$
declare
  there record;
begin
  select * into there from count_visits(for_site, for_day, starts, ends, wanted, keeps);
  perform count_outcomes(for_site, starts, ends, wanted, there.tellers);
  perform count_returns(for_site, for_day, wanted, there.humans);
  if exists (select from lead_facts where site_id = for_site) then
    perform mark_moved_touches(for_site, starts, ends, coalesce(wanted, there.humans), wanted is null);
  end if;
  perform roll_up_ledger(for_site, for_day, starts, ends);
end $$;

-- Recomputes one day of one site from its raw events and overwrites it, so running it twice changes nothing.
-- Days before and after are read only where a session crosses midnight. A sealed day is left as it is.
-- Working sets are spooled by PostgreSQL beyond work_mem: a day need not fit into memory.
--
-- returns  'rolled', or 'sealed'
create or replace function roll_up_day(for_site uuid, for_day date) returns text language plpgsql as $$
#variable_conflict use_column
declare
  began constant timestamptz := clock_timestamp();
  in_zone text;
  starts timestamptz;
  ends timestamptz;
  today date;
  marks bigint[];
  seen bigint;
begin
  perform pg_advisory_xact_lock(7301003, hashtext(for_site::text));
  select r.zone, r.starts, r.ends into in_zone, starts, ends from rolled_range(for_site, for_day) r;
  today := day_of(now(), in_zone);
  -- Read before the raw rows: what commits in between leaves its mark for the next time.
  select array_agg(mark_id) into marks from dirty_days where site_id = for_site and day = for_day;
  seen := ledger_of(for_site, starts, ends);
  if exists (select from rollup_state where site_id = for_site and day = for_day and sealed_at is not null) then
    delete from dirty_days where mark_id = any (marks) and site_id = for_site;
    return 'sealed';
  end if;

  delete from daily_breakdowns where site_id = for_site and day = for_day;
  delete from full_days where site_id = for_site and day = for_day;
  delete from session_days where site_id = for_site and day = for_day;
  delete from visit_facts where site_id = for_site and day = for_day;
  -- days that change no more keep their visits in fewer bytes
  perform keep_visits(for_site, over.day) from (
    select distinct day from visit_facts where site_id = for_site and not is_open_day(day, today) order by day) over;
  delete from open_names where site_id = for_site and (day = for_day or not is_open_day(day, today));
  delete from open_kinds where site_id = for_site and (day = for_day or not is_open_day(day, today));
  update rollup_state set is_open = false where site_id = for_site and is_open and not is_open_day(day, today);
  perform count_day(for_site, for_day, starts, ends, null, true);
  if not is_open_day(for_day, today) then
    delete from open_names where site_id = for_site and day = for_day;
    delete from open_kinds where site_id = for_site and day = for_day;
  end if;

  insert into rollup_state as s (site_id, day, rolled_up_at, ledger_seen, time_zone, ends_at, recounted_at, recount_ms, is_open)
  values (for_site, for_day, now(), seen, in_zone, ends, now(), extract(epoch from clock_timestamp() - began) * 1000, is_open_day(for_day, today))
  on conflict (site_id, day) do update
  set rolled_up_at = excluded.rolled_up_at, ledger_seen = excluded.ledger_seen, time_zone = excluded.time_zone, ends_at = excluded.ends_at,
    recounted_at = excluded.recounted_at, recount_ms = excluded.recount_ms, is_open = excluded.is_open, visits_kept = false;
  if not is_open_day(for_day, today) then
    perform keep_visits(for_site, for_day);
  end if;
  delete from dirty_days where mark_id = any (marks) and site_id = for_site;
  return 'rolled';
end $$;
comment on function roll_up_day is 'recomputes one day of one site; see src/product/metrics/roll_up_day.sql';

-- Brings a day that is due up to date: what the visits of an open day count is kept up by refresh_visits, and only its
-- ledger is read again; any other day is recomputed.
-- returns  'rolled', or 'sealed'
create or replace function roll_up_due_day(for_site uuid, for_day date) returns text language plpgsql as $$
#variable_conflict use_column
declare
  starts timestamptz;
  ends timestamptz;
  seen bigint;
begin
  perform pg_advisory_xact_lock(7301003, hashtext(for_site::text));
  select r.starts, r.ends into starts, ends from rolled_range(for_site, for_day) r;
  if exists (select from dirty_days where site_id = for_site and day = for_day)
      or not exists (select from rollup_state where site_id = for_site and day = for_day and is_open and sealed_at is null and ends_at = ends) then
    return roll_up_day(for_site, for_day);
  end if;
  seen := ledger_of(for_site, starts, ends);
  perform roll_up_ledger(for_site, for_day, starts, ends);
  update rollup_state set rolled_up_at = now(), ledger_seen = seen where site_id = for_site and day = for_day;
  return 'rolled';
end $$;
comment on function roll_up_due_day is 'brings one day that is due up to date; see src/product/metrics/roll_up_day.sql';

-- Whose visits may be counted at the next minute: all whose first mark is younger than a minute. A visit of a minute or so is
-- then mostly counted once, for all it did, and no number is older than two minutes: the job comes every minute. Where few are
-- marked, nobody waits.
create or replace function still_moving(for_site uuid, marks bigint[]) returns uuid[] language sql stable as $$
  select case when count(*) >= 200 then array_agg(visitor_id) filter (where earliest > now() - interval '55 seconds') end
  from (
    select v.visitor_id, min(marked_at) as earliest
    from dirty_visits cross join lateral unnest(visitor_ids) as v (visitor_id)
    where site_id = for_site and mark_id = any (marks) group by 1
  ) marked
$$;

-- Counts the visits that changed since the last time, of all open days of a site; any other day they touch is marked to be
-- recomputed. Marks are read before the raw rows and exactly those are removed: what commits in between leaves its mark for
-- the next time, and counting a visit twice changes nothing.
--
-- patient  whether visits that go on may wait for the next minute
-- returns  how many days it brought up to date
drop function if exists refresh_visits(uuid);
create or replace function refresh_visits(for_site uuid, patient boolean default false) returns integer language plpgsql as $$
#variable_conflict use_column
declare
  zone constant text := site_zone(for_site);
  today constant date := day_of(now(), zone);
  midnight constant timestamptz := day_starts(today, zone);
  marks bigint[];
  waiting uuid[] := '{}';
  touched record;
  starts timestamptz;
  ends timestamptz;
  seen bigint;
  refreshed integer := 0;
begin
  perform pg_advisory_xact_lock(7301003, hashtext(for_site::text));
  select array_agg(mark_id) into marks from dirty_visits where site_id = for_site;
  if marks is null then
    return 0;
  end if;
  if patient then
    waiting := coalesce(still_moving(for_site, marks), '{}');
  end if;
  for touched in
    select m.day, array_agg(distinct v.visitor_id) as visitors, bool_or(s.sealed_at is not null) as is_sealed,
      bool_or(coalesce(s.is_open, false)) and not exists (
        -- an erased person's visits change no more: they wait until the day is recomputed
        select from dirty_days d where d.site_id = for_site and d.day = m.day and d.cause <> 'erasure') as is_open
    from (
      select d.day::date as day, visitor_ids from dirty_visits
      -- a day that has not come is counted whole when it has
      cross join lateral generate_series(case when since >= midnight then today else day_of(since, zone) end,
        case when until >= midnight then today else day_of(until, zone) end, interval '1 day') as d (day)
      where site_id = for_site and mark_id = any (marks)
    ) m
    cross join lateral unnest(m.visitor_ids) as v (visitor_id)
    left join rollup_state s on s.site_id = for_site and s.day = m.day
    -- hashed, whatever a kept plan believes of the lists
    where v.visitor_id not in (select w.visitor_id from unnest(waiting) as w (visitor_id))
    group by m.day order by m.day
  loop
    if touched.is_open and not touched.is_sealed then
      select r.starts, r.ends into starts, ends from rolled_range(for_site, touched.day) r;
      seen := ledger_of(for_site, starts, ends);
      perform count_day(for_site, touched.day, starts, ends, touched.visitors, true);
      update rollup_state set rolled_up_at = now(), ledger_seen = seen where site_id = for_site and day = touched.day;
      refreshed := refreshed + 1;
    elsif touched.is_sealed is not true and not exists (select from dirty_days where site_id = for_site and day = touched.day) then
      insert into dirty_days (site_id, day, cause) values (for_site, touched.day, 'visits');
    end if;
  end loop;
  with staying as materialized (
    select d.mark_id, array_agg(v.visitor_id) as visitor_ids
    from dirty_visits d cross join lateral unnest(d.visitor_ids) as v (visitor_id)
    where d.site_id = for_site and d.mark_id = any (marks) and (v.visitor_id in (select w.visitor_id from unnest(waiting) as w (visitor_id))) is true
    group by 1
  ), kept as (
    -- of those it holds now: an erasure may have taken someone out meanwhile
    update dirty_visits d set visitor_ids = array(select unnest(d.visitor_ids) intersect select unnest(s.visitor_ids))
    from staying s where d.site_id = for_site and d.mark_id = s.mark_id
  )
  delete from dirty_visits where site_id = for_site and mark_id = any (marks) and mark_id not in (select mark_id from staying);
  return refreshed;
end $$;
comment on function refresh_visits is 'counts the visits that changed; see src/product/metrics/roll_up_day.sql';

-- What reports show of a day whose raw rows are gone and that was sent more names than are kept apart: of those kinds the
-- first hundred names and (other), so that an attack of years leaves no years of made-up names.
-- returns  how many rows that were
create or replace function fold_full_days(before date) returns integer language plpgsql as $$
#variable_conflict use_column
declare
  folded integer;
begin
  with beyond as materialized (
    select b.ctid as place, b.site_id, b.day, b.kind from full_days f
    cross join lateral (
      select distinct kind from daily_breakdowns d where d.site_id = f.site_id and d.day = f.day
        and case when f.what = 'properties' then d.kind like 'prop:%' else d.kind = f.what end
    ) k
    cross join lateral (
      select d.ctid, d.* from daily_breakdowns d where d.site_id = f.site_id and d.day = f.day and d.kind = k.kind and d.name <> '(other)'
      order by sessions desc, page_views desc, events desc, name, detail offset 100
    ) b
    where f.day < before and f.site_id = any (current_sites())
  ), gone as (
    delete from daily_breakdowns d using beyond b where d.ctid = b.place returning d.*
  ), summed as (
    insert into daily_breakdowns as d (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
    select site_id, day, kind, '(other)', '', sum(visitors), sum(sessions), sum(entrances), sum(page_views), sum(conversions), sum(events), sum(engaged_ms)
    from gone group by 1, 2, 3
    on conflict (site_id, day, kind, name, detail) do update
    set visitors = d.visitors + excluded.visitors, sessions = d.sessions + excluded.sessions, entrances = d.entrances + excluded.entrances,
      page_views = d.page_views + excluded.page_views, conversions = d.conversions + excluded.conversions, events = d.events + excluded.events,
      engaged_ms = d.engaged_ms + excluded.engaged_ms
  )
  select count(*) from gone into folded;
  delete from full_days where day < before and site_id = any (current_sites()) and what <> 'conversions';
  return folded;
end $$;
comment on function fold_full_days is 'folds the names of days that were sent too many; see src/product/metrics/roll_up_day.sql';
