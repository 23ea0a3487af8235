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
  began constant timestamptz := clock_timestamp();
  in_zone text;
  starts timestamptz;
  ends timestamptz;
  marks bigint[];
  seen bigint;
  moved_days date[];
  gone uuid[];     -- visitors who are not there any more, and when each was there before
  gone_previous date[];
  humans uuid[];   -- 16 bytes each: the visitors of a day, unlike its events, fit into memory
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
      case when event_type in ('form_start', 'form_submit') then coalesce(props ->> 'formName', '') end as form,
      -- the browsers' own script tells of forms that make leads, and of no other
      event_type in ('form_start', 'form_submit') and coalesce(props ->> 'role', '') not in ('search', 'signin') as is_lead,
      nullif(props - '{formName,role}'::text[], '{}') as props
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
    select session_id, visitor_id, event_id, occurred_at, event_type, path, referrer, source, utm, is_conversion, engaged_ms, form, is_lead
    from raw join owned using (session_id, visitor_id) where bot_reason is null
    union all
    -- after midnight it still counts for the day on which it began
    select o.session_id, o.visitor_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm,
      e.is_conversion, e.engaged_ms, case when e.event_type in ('form_start', 'form_submit') then coalesce(e.props ->> 'formName', '') end,
      e.event_type in ('form_start', 'form_submit') and coalesce(e.props ->> 'role', '') not in ('search', 'signin')
    from owned o
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = o.visitor_id and e.occurred_at >= ends
        and e.occurred_at <= o.last_activity_at and e.session_id = o.session_id and e.bot_reason is null offset 0
    ) e
    where o.last_activity_at >= ends
  ), session_facts as materialized (
    select session_id, visitor_id,
      -- of the session: its first event may have none of its own
      any_value(came_from) as source,
      coalesce((array_agg(source order by occurred_at, event_id))[1] in ('carried', 'internal'), false) as is_carried,
      (array_agg(utm order by occurred_at, event_id))[1] as utm,
      (array_agg(referrer order by occurred_at, event_id))[1] as referrer,
      (array_agg(path order by occurred_at, event_id) filter (where event_type = 'page_view'))[1] as landing,
      (array_agg(path order by occurred_at desc, event_id desc) filter (where event_type = 'page_view'))[1] as leaving,
      (count(*) filter (where event_type = 'page_view') = 1 and coalesce(sum(engaged_ms), 0) < 10000
        and bool_and(event_type in ('page_view', 'engagement', 'web_vitals') and not is_conversion))::int as bounced,
      coalesce(sum(engaged_ms), 0) as engaged_ms,
      -- a search or a sign-in is none
      coalesce(max(occurred_at) filter (where (event_type = 'form_submit' and is_lead) or is_conversion)
        >= min(occurred_at) filter (where event_type = 'page_view'), false)::int as converted
    from visit join owned using (session_id, visitor_id) group by session_id, visitor_id
  ), begun_before as materialized (
    -- few: found first, so that only theirs is looked up again
    select * from present p where not exists (select from owned o where o.session_id = p.session_id and o.visitor_id = p.visitor_id)
  ), continued as (
    -- counted on the day before; their page views of this day are this day's, under the name they came by
    select p.session_id, p.visitor_id, s.device_type, s.browser, s.os, s.country, s.source,
      case when began.event_id is null then s.is_carried else coalesce(began.source in ('carried', 'internal'), false) end as is_carried,
      case when began.event_id is null then s.utm else began.utm end as utm, case when began.event_id is null then s.referrer else began.referrer end as referrer,
      -- a sealed day's rows may be gone
      coalesce(landed.path, case when began.event_id is null then split_part(s.landing_path, '?', 1) end) as landing
    from begun_before p
    cross join lateral (
      select * from sessions s where s.site_id = for_site and s.visitor_id = p.visitor_id and s.session_id = p.session_id offset 0
    ) s
    left join lateral (
      select e.event_id, e.source, e.utm, e.referrer from events e where e.site_id = for_site and e.visitor_id = p.visitor_id and e.session_id = p.session_id
        and e.occurred_at >= s.started_at and e.occurred_at < starts and e.bot_reason is null order by e.occurred_at, e.event_id limit 1
    ) began on true
    left join lateral (
      select split_part(e.path, '?', 1) as path from events e where e.site_id = for_site and e.visitor_id = p.visitor_id and e.session_id = p.session_id
        and e.occurred_at >= s.started_at and e.occurred_at < ends and e.bot_reason is null and e.event_type = 'page_view'
      order by e.occurred_at, e.event_id limit 1
    ) landed on true
  ), viewed as (
    select session_id, visitor_id, count(*) as page_views from raw where bot_reason is null and event_type = 'page_view' group by 1, 2
  ), there_by as materialized (
    select f.*, coalesce(v.page_views, 0) as page_views from (
      select 1 as begun, visitor_id, session_id, source, is_carried, utm, referrer, landing, converted, o.device_type, o.browser, o.os, o.country
      from session_facts join owned o using (session_id, visitor_id)
      union all
      select 0, visitor_id, session_id, source, is_carried, utm, referrer, landing, 0, device_type, browser, os, country from continued
    ) f left join viewed v using (session_id, visitor_id)
  ), forms as materialized (
    select session_id, visitor_id, form, bool_or(event_type = 'form_submit')::int as submitted from visit
    where is_lead group by 1, 2, 3
  ), properties as materialized (
    select r.visitor_id, r.event_type, r.is_conversion, p.key, p.value #>> '{}' as value
    from raw r cross join lateral jsonb_each(r.props) p
    where bot_reason is null and jsonb_typeof(r.props) = 'object' and jsonb_typeof(p.value) in ('string', 'number', 'boolean')
      -- an address is no name of a number, nor of a property
      and p.value::text not like '%@%' and p.key !~ '@|%40'
  ), named as (
    select 'page' as kind, path as name, '' as detail, count(distinct visitor_id) as visitors, 0 as sessions, 0 as entrances,
      count(*) filter (where event_type = 'page_view') as page_views, 0 as conversions, count(*) as events, coalesce(sum(engaged_ms), 0) as engaged_ms
    from raw where bot_reason is null and (event_type = 'page_view' or engaged_ms > 0) group by path
    union all
    select 'event', event_type, '', count(distinct visitor_id), 0, 0, 0, count(*) filter (where is_conversion), count(*), 0
    from raw where bot_reason is null group by event_type
    union all
    -- strangers make up properties: the twenty most frequent of a day
    select 'prop:' || key, value, '', count(distinct visitor_id), 0, 0, count(*) filter (where event_type = 'page_view'),
      count(*) filter (where is_conversion), count(*), 0
    from properties where key in (select key from properties group by key order by count(*) desc, key limit 20) group by key, value
    union all
    select 'exit', leaving, '', count(distinct visitor_id), count(*), 0, 0, 0, 0, 0 from session_facts where leaving is not null group by leaving
    union all
    select by.kind, by.name, by.detail, count(distinct visitor_id), sum(begun), count(landing) filter (where begun = 1), sum(page_views),
      sum(converted), 0, 0
    from there_by t cross join lateral (values
      ('entrance', landing, ''), ('source', coalesce(source, 'direct'), ''),
      ('campaign', utm ->> 'campaign', concat_ws(' / ', utm ->> 'source', utm ->> 'medium')), ('utm_source', utm ->> 'source', ''),
      ('utm_medium', utm ->> 'medium', ''), ('utm_term', utm ->> 'term', ''), ('utm_content', utm ->> 'content', ''),
      ('referrer', case when source not in ('internal', 'direct') and not is_carried and referrer ~ '^(https?|android-app|ios-app)://.'
        then lower(substring(referrer from '^[a-z-]+://(?:www\.)?([^/:?#]+)')) end, ''),
      ('device', coalesce(device_type, 'unknown'), ''), ('browser', coalesce(browser, 'unknown'), ''), ('os', coalesce(os, 'unknown'), ''),
      ('country', coalesce(country, 'unknown'), '')) as by (kind, name, detail)
    where by.name is not null group by 1, 2, 3
    union all
    select 'form', form, '', count(distinct visitor_id), count(*), 0, 0, sum(submitted), 0, 0 from forms group by form
  ), capped as (
    select *, row_number() over (partition by kind order by sessions desc, page_views desc, events desc, name, detail)
      > case when kind like 'prop:%' then 200 else 1000 end as is_other
    from named where name is not null
  ), breakdowns as (
    insert into daily_breakdowns (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
    select for_site, for_day, left(kind, 80), case when is_other then '(other)' else left(name, 512) end, case when is_other then '' else left(detail, 512) end,
      sum(visitors), sum(sessions), sum(entrances), sum(page_views), sum(conversions), sum(events), sum(engaged_ms)
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
  ), counted as (
    insert into daily_metric_rollups as m (site_id, day, human_events, page_views, unique_visitors, sessions, entrances,
      landing_conversions, forms_started, forms_submitted, email_verifies, bot_events, bots_by_reason, clamped_events, late_events,
      sessions_by_source, vitals, bounces, engaged_ms)
    select for_site, for_day, e.human_events, e.page_views, e.unique_visitors, s.sessions, s.entrances, s.converted,
      f.started, f.submitted, e.email_verifies, e.bot_events,
      coalesce((select jsonb_object_agg(bot_reason, count) from (
        select bot_reason, count(*) as count from raw where bot_reason is not null group by 1) reasons), '{}'),
      e.clamped_events, e.late_events,
      coalesce((select jsonb_object_agg(source, count) from (
        select coalesce(source, 'direct') as source, count(*) as count from session_facts group by 1) sources), '{}'),
      coalesce((select jsonb_object_agg(vital, counts) from histograms), '{}'), s.bounces, s.engaged_ms
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
      select count(*) as sessions, count(landing) as entrances, coalesce(sum(converted), 0) as converted,
        count(*) filter (where landing is not null and bounced = 1) as bounces, coalesce(sum(engaged_ms) filter (where landing is not null), 0) as engaged_ms
      from session_facts
    ) s, (
      select count(*) as started, coalesce(sum(submitted), 0) as submitted from forms
    ) f
    on conflict (site_id, day) do update
    set human_events = excluded.human_events, page_views = excluded.page_views, unique_visitors = excluded.unique_visitors,
      sessions = excluded.sessions, entrances = excluded.entrances, landing_conversions = excluded.landing_conversions,
      forms_started = excluded.forms_started, forms_submitted = excluded.forms_submitted, email_verifies = excluded.email_verifies,
      bot_events = excluded.bot_events, bots_by_reason = excluded.bots_by_reason, clamped_events = excluded.clamped_events,
      late_events = excluded.late_events, sessions_by_source = excluded.sessions_by_source, vitals = excluded.vitals,
      bounces = excluded.bounces, engaged_ms = excluded.engaged_ms
    where m is distinct from excluded
  )
  select array_agg(distinct visitor_id) into humans from raw where bot_reason is null;

  -- Who was there, and when before. A visitor who appears on, or vanishes from, this day changes what came before
  -- their next day; so those days' returns are counted again too.
  -- A statement of its own: an erasure that changes one of those next days meanwhile has the update look again at what it
  -- is made from, and PostgreSQL cannot delete once more for that (XX000, and the purge of that night was lost).
  with vanished as (
    delete from visitor_days d where site_id = for_site and day = for_day
      and not exists (select from unnest(humans) as t (visitor_id) where t.visitor_id = d.visitor_id)
    returning visitor_id, previous_day
  )
  select array_agg(visitor_id), array_agg(previous_day) into gone, gone_previous from vanished;
  with there as materialized (
    select unnest(humans) as visitor_id
  ), appeared as materialized (
    select t.visitor_id, after.day as next_day, after.previous_day as next_previous,
      (select max(b.day) from visitor_days b where b.site_id = for_site and b.visitor_id = t.visitor_id and b.day < for_day) as before,
      coalesce((select v.is_day_visitor from visitors v where v.site_id = for_site and v.visitor_id = t.visitor_id), false) as is_day_visitor
    from there t
    left join lateral (
      select day, previous_day from visitor_days n
      where n.site_id = for_site and n.visitor_id = t.visitor_id and n.day > for_day
        -- asked once: mostly it is today that is counted
        and (select exists (select from visitor_days l where l.site_id = for_site and l.day > for_day)) order by n.day limit 1
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
      select v.visitor_id, after.day, v.previous_day from unnest(gone, gone_previous) as v (visitor_id, previous_day)
      cross join lateral (
        select day from visitor_days n where n.site_id = for_site and n.visitor_id = v.visitor_id and n.day > for_day order by n.day limit 1
      ) after
    ) change
    where n.site_id = for_site and n.visitor_id = change.visitor_id and n.day = change.next_day
    returning n.day
  )
  select array_agg(distinct day) into moved_days from moved;

  if exists (select from lead_facts where site_id = for_site) then
    perform mark_moved_touches(for_site, starts, ends, humans);
  end if;

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

  insert into rollup_state as s (site_id, day, rolled_up_at, ledger_seen, time_zone, ends_at, recounted_at, recount_ms)
  values (for_site, for_day, now(), seen, in_zone, ends, now(), extract(epoch from clock_timestamp() - began) * 1000)
  on conflict (site_id, day) do update
  set rolled_up_at = excluded.rolled_up_at, ledger_seen = excluded.ledger_seen, time_zone = excluded.time_zone, ends_at = excluded.ends_at,
    recounted_at = excluded.recounted_at, recount_ms = excluded.recount_ms;
  delete from dirty_days where mark_id = any (marks) and site_id = for_site;
  return 'rolled';
end $$;
comment on function roll_up_day is 'recomputes one day of one site; see src/product/metrics/roll_up_day.sql';
