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

-- Recomputes one day of one site from its raw events and overwrites it, so running it twice changes nothing.
-- Days before and after are read only where a session crosses midnight. A sealed day is left as it is.
-- Working sets are spooled by PostgreSQL beyond work_mem: a day need not fit into memory.
--
-- returns  'rolled', or 'sealed'
create or replace function roll_up_day(for_site uuid, for_day date)
returns text language plpgsql set jit = off set work_mem = '8MB' set enable_nestloop = on as $$
#variable_conflict use_column
declare
  in_zone text;
  starts timestamptz;
  ends timestamptz;
  marks bigint[];
  seen bigint;
  moved_days date[];
begin
  perform pg_advisory_xact_lock(7301003, hashtext(for_site::text));
  select r.zone, r.starts, r.ends into in_zone, starts, ends from rolled_range(for_site, for_day) r;
  -- Read before the raw rows: what commits in between leaves its mark for the next time.
  select array_agg(mark_id) into marks from dirty_days where site_id = for_site and day = for_day;
  seen := ledger_of(for_site, starts, ends);
  if exists (select from rollup_state where site_id = for_site and day = for_day and sealed_at is not null) then
    delete from dirty_days where mark_id = any (marks) and site_id = for_site;
    return 'sealed';
  end if;

  delete from daily_breakdowns where site_id = for_site and day = for_day;
  -- A rush into a table that was never analysed is taken for a few rows, and then compared row by row: 60 000 events took
  -- 48 s, by hashing 0.8 s. What must be looked up by index says so with "lateral".
  set local enable_nestloop = off;
  with raw as materialized (
    select event_id, visitor_id, session_id, occurred_at, received_at, event_type, split_part(path, '?', 1) as path, referrer,
      source, utm, bot_reason, clamped, is_conversion, engaged_ms, fcp_ms, lcp_ms, inp_ms, ttfb_ms, cls_score,
      case when event_type in ('form_start', 'form_submit') then coalesce(props ->> 'formName', '') end as form
    from events where site_id = for_site and occurred_at >= starts and occurred_at < ends
  ), present as (
    select session_id, visitor_id from raw where bot_reason is null group by 1, 2
  ), owned as materialized (
    -- a session that had a human event before midnight belongs to that day
    select p.session_id, p.visitor_id, s.last_activity_at, s.source as came_from, s.device_type, s.browser, s.os, s.country
    from present p
    cross join lateral (
      -- by its visitor too: whichever index is taken finds one row
      select * from sessions s where s.site_id = for_site and s.visitor_id = p.visitor_id and s.session_id = p.session_id offset 0
    ) s
    where s.started_at >= starts or not (
      exists (
        select from events e where e.site_id = for_site and e.visitor_id = p.visitor_id
          and e.occurred_at >= s.started_at and e.occurred_at < starts and e.session_id = p.session_id and e.bot_reason is null
      )
      -- the day before is sealed and its rows may be gone: it has counted the session
      or exists (select from rollup_state z where z.site_id = for_site and z.day = for_day - 1 and z.sealed_at is not null)
    )
  ), visit as materialized (
    select session_id, event_id, occurred_at, event_type, path, referrer, source, utm, is_conversion, form
    from raw join owned using (session_id) where bot_reason is null
    union all
    -- after midnight it still counts for the day on which it began
    select o.session_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm,
      e.is_conversion, case when e.event_type in ('form_start', 'form_submit') then coalesce(e.props ->> 'formName', '') end
    from owned o
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = o.visitor_id and e.occurred_at >= ends
        and e.occurred_at <= o.last_activity_at and e.session_id = o.session_id and e.bot_reason is null offset 0
    ) e
    where o.last_activity_at >= ends
  ), session_facts as materialized (
    select session_id,
      -- of the session: its first event may have none of its own
      any_value(came_from) as source,
      coalesce((array_agg(source order by occurred_at, event_id))[1] in ('carried', 'internal'), false) as is_carried,
      (array_agg(utm order by occurred_at, event_id))[1] as utm,
      (array_agg(referrer order by occurred_at, event_id))[1] as referrer,
      (array_agg(path order by occurred_at, event_id) filter (where event_type = 'page_view'))[1] as landing,
      (array_agg(path order by occurred_at desc, event_id desc) filter (where event_type = 'page_view'))[1] as leaving,
      count(*) filter (where event_type = 'page_view') as page_views,
      coalesce(max(occurred_at) filter (where event_type = 'form_submit' or is_conversion)
        >= min(occurred_at) filter (where event_type = 'page_view'), false)::int as converted
    from visit join owned using (session_id) group by session_id
  ), forms as materialized (
    select session_id, form, bool_or(event_type = 'form_submit')::int as submitted from visit where form is not null group by 1, 2
  ), named as (
    select 'page' as kind, path as name, '' as detail, 0 as sessions, count(*) filter (where event_type = 'page_view') as page_views,
      0 as conversions, count(*) as events, coalesce(sum(engaged_ms), 0) as engaged_ms
    from raw where bot_reason is null and (event_type = 'page_view' or engaged_ms > 0) group by path
    union all
    select 'event', event_type, '', 0, 0, count(*) filter (where is_conversion), count(*), 0 from raw where bot_reason is null group by event_type
    union all
    select 'entrance', landing, '', count(*), sum(page_views), sum(converted), 0, 0 from session_facts where landing is not null group by landing
    union all
    select 'exit', leaving, '', count(*), 0, 0, 0, 0 from session_facts where leaving is not null group by leaving
    union all
    select 'source', coalesce(source, 'direct'), '', count(*), sum(page_views), sum(converted), 0, 0 from session_facts group by 2
    union all
    select 'campaign', utm ->> 'campaign', concat_ws(' / ', utm ->> 'source', utm ->> 'medium'), count(*), sum(page_views), sum(converted), 0, 0
    from session_facts where utm ->> 'campaign' is not null group by 2, 3
    union all
    select 'referrer', lower(substring(referrer from '^https?://(?:www\.)?([^/:]+)')), '', count(*), sum(page_views), sum(converted), 0, 0
    from session_facts where source not in ('internal', 'direct') and not is_carried and referrer ~ '^https?://.' group by 2
    union all
    select f.kind, coalesce(f.name, 'unknown'), '', count(*), sum(s.page_views), sum(s.converted), 0, 0
    from session_facts s join owned o using (session_id)
    cross join lateral (values ('device', o.device_type), ('browser', o.browser), ('os', o.os), ('country', o.country)) as f (kind, name)
    group by 1, 2
    union all
    select 'form', form, '', count(*), 0, sum(submitted), 0, 0 from forms group by form
  ), capped as (
    select *, row_number() over (partition by kind order by sessions desc, page_views desc, events desc, name, detail) > 1000 as is_other
    from named where name is not null
  ), breakdowns as (
    insert into daily_breakdowns (site_id, day, kind, name, detail, sessions, page_views, conversions, events, engaged_ms)
    select for_site, for_day, kind, case when is_other then '(other)' else left(name, 512) end, case when is_other then '' else left(detail, 512) end,
      sum(sessions), sum(page_views), sum(conversions), sum(events), sum(engaged_ms)
    from capped group by 3, 4, 5
  ), told as materialized (
    select event_id::text as conversion_id, event_type as kind, visitor_id, occurred_at
    from raw where bot_reason is null and event_type in ('signup', 'activation', 'email_verify')
  ), untold as (
    -- not all and then again: each change marks a lead
    delete from conversions c where site_id = for_site and origin = 'browser' and occurred_at >= starts and occurred_at < ends
      and not exists (select from told t where t.conversion_id = c.conversion_id)
  ), outcomes as (
    insert into conversions as c (site_id, conversion_id, kind, origin, visitor_id, occurred_at)
    select for_site, conversion_id, kind, 'browser', visitor_id, occurred_at from told
    on conflict (site_id, origin, conversion_id) do update
    set kind = excluded.kind, visitor_id = excluded.visitor_id, occurred_at = excluded.occurred_at
    where (c.kind, c.visitor_id, c.occurred_at) is distinct from (excluded.kind, excluded.visitor_id, excluded.occurred_at)
  ), histograms as (
    select vital, jsonb_object_agg(bucket, count) as counts from (
      select vital, greatest(0, ceil(ln(greatest(value, 1)) / ln(1.1::float8)))::int as bucket, count(*) as count
      from raw cross join lateral (values ('fcp', fcp_ms * 100::float8), ('lcp', lcp_ms * 100::float8), ('inp', inp_ms * 100::float8),
        ('ttfb', ttfb_ms * 100::float8), ('cls', cls_score * 10000::float8)) as measured (vital, value)
      where bot_reason is null and value is not null
      group by 1, 2
    ) buckets group by vital
  )
  insert into daily_metric_rollups as m (site_id, day, human_events, page_views, unique_visitors, sessions, entrances,
    landing_conversions, forms_started, forms_submitted, email_verifies, bot_events, bots_by_reason, clamped_events, late_events,
    sessions_by_source, vitals)
  select for_site, for_day, e.human_events, e.page_views, e.unique_visitors, s.sessions, s.entrances, s.converted,
    f.started, f.submitted, e.email_verifies, e.bot_events,
    coalesce((select jsonb_object_agg(bot_reason, count) from (
      select bot_reason, count(*) as count from raw where bot_reason is not null group by 1) reasons), '{}'),
    e.clamped_events, e.late_events,
    coalesce((select jsonb_object_agg(source, count) from (
      select coalesce(source, 'direct') as source, count(*) as count from session_facts group by 1) sources), '{}'),
    coalesce((select jsonb_object_agg(vital, counts) from histograms), '{}')
  from (
    select count(*) filter (where bot_reason is null) as human_events,
      count(*) filter (where bot_reason is null and event_type = 'page_view') as page_views,
      count(distinct visitor_id) filter (where bot_reason is null) as unique_visitors,
      count(*) filter (where bot_reason is null and event_type = 'email_verify') as email_verifies,
      count(*) filter (where bot_reason is not null) as bot_events,
      count(*) filter (where bot_reason is null and clamped) as clamped_events,
      count(*) filter (where bot_reason is null and received_at - occurred_at > interval '10 minutes') as late_events
    from raw
  ) e, (
    select count(*) as sessions, count(landing) as entrances, coalesce(sum(converted), 0) as converted from session_facts
  ) s, (
    select count(*) as started, coalesce(sum(submitted), 0) as submitted from forms
  ) f
  on conflict (site_id, day) do update
  set human_events = excluded.human_events, page_views = excluded.page_views, unique_visitors = excluded.unique_visitors,
    sessions = excluded.sessions, entrances = excluded.entrances, landing_conversions = excluded.landing_conversions,
    forms_started = excluded.forms_started, forms_submitted = excluded.forms_submitted, email_verifies = excluded.email_verifies,
    bot_events = excluded.bot_events, bots_by_reason = excluded.bots_by_reason, clamped_events = excluded.clamped_events,
    late_events = excluded.late_events, sessions_by_source = excluded.sessions_by_source, vitals = excluded.vitals
  where m is distinct from excluded;

  -- Who was there, and when before. A visitor who appears on, or vanishes from, this day changes what came before
  -- their next day; so those days' returns are counted again too.
  with there as materialized (
    select distinct visitor_id from events
    where site_id = for_site and occurred_at >= starts and occurred_at < ends and bot_reason is null
  ), vanished as (
    delete from visitor_days d where site_id = for_site and day = for_day
      and not exists (select from there t where t.visitor_id = d.visitor_id)
    returning visitor_id, previous_day
  ), appeared as materialized (
    select t.visitor_id, after.day as next_day, after.previous_day as next_previous,
      (select max(b.day) from visitor_days b where b.site_id = for_site and b.visitor_id = t.visitor_id and b.day < for_day) as before,
      coalesce((select v.is_day_visitor from visitors v where v.site_id = for_site and v.visitor_id = t.visitor_id), false) as is_day_visitor
    from there t
    left join lateral (
      select day, previous_day from visitor_days n
      where n.site_id = for_site and n.visitor_id = t.visitor_id and n.day > for_day order by n.day limit 1
    ) after on true
    where not exists (select from visitor_days k where k.site_id = for_site and k.day = for_day and k.visitor_id = t.visitor_id)
  ), added as (
    insert into visitor_days (site_id, day, visitor_id, previous_day, is_day_visitor)
    -- the row before may be purged already; the next day's row still knows it
    -- ordered, so that all are looked up before the first is added: else each look-up walks past those just added
    select for_site, for_day, visitor_id, coalesce(before, nullif(next_previous, for_day)), is_day_visitor from appeared order by visitor_id
  ), moved as (
    update visitor_days n set previous_day = change.previous_day
    from (
      select visitor_id, next_day, for_day as previous_day from appeared where next_day is not null
      union all
      select v.visitor_id, after.day, v.previous_day from vanished v
      cross join lateral (
        select day from visitor_days n where n.site_id = for_site and n.visitor_id = v.visitor_id and n.day > for_day order by n.day limit 1
      ) after
    ) change
    where n.site_id = for_site and n.visitor_id = change.visitor_id and n.day = change.next_day
    returning n.day
  )
  select array_agg(distinct day) into moved_days from moved;

  moved_days := array_append(coalesce(moved_days, '{}'), for_day);
  delete from visitor_returns where site_id = for_site and day = any (moved_days);
  insert into visitor_returns (site_id, day, previous_day, visitors, day_visitors)
  select site_id, day, previous_day, count(*), count(*) filter (where is_day_visitor) from visitor_days
  where site_id = for_site and day = any (moved_days) group by 1, 2, 3 order by 1, 2, 3;

  -- The ledger's days are UTC's: every one that this day touches, save a neighbour that is sealed.
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
  where i is distinct from excluded;

  insert into rollup_state as s (site_id, day, rolled_up_at, ledger_seen, time_zone, ends_at) values (for_site, for_day, now(), seen, in_zone, ends)
  on conflict (site_id, day) do update
  set rolled_up_at = excluded.rolled_up_at, ledger_seen = excluded.ledger_seen, time_zone = excluded.time_zone, ends_at = excluded.ends_at;
  delete from dirty_days where mark_id = any (marks) and site_id = for_site;
  return 'rolled';
end $$;
comment on function roll_up_day is 'recomputes one day of one site; see src/product/metrics/roll_up_day.sql';
