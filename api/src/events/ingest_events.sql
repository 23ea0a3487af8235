-- Stores one batch of events in one round trip: recognises duplicates, keeps visitors, cuts sessions, counts the ledger.
-- A function, because its second statement must see what a competing batch has committed meanwhile (read committed
-- gives each statement a new snapshot; the CTEs of a single statement would all share one).
--
-- Locks are taken in this order everywhere: recent_bodies, event_keys, visitors, sessions, events, ledger; and inside
-- a table in the order of the key. Two batches, or a batch and a capture, may then wait, but never for each other.
--
-- arrived     distinct by (site_id, event_id) and by (site_id, body_key)
-- repeated    JSON array of {site_id, count}: duplicates that were recognised inside the batch already
-- inactivity  silence that ends a session
-- own_sites   the sites of both, for row level security: <uuid>,<uuid>; a row of another site is refused
-- returns     one row an arrived event: its id, the id it is stored under, and whether it had been stored before
drop function if exists ingest_events(json, json, interval);
create or replace function ingest_events(arrived arrived_event[], repeated json, inactivity interval, own_sites text)
returns table (arrived_id uuid, event_id uuid, visitor_id uuid, session_id uuid, duplicate boolean)
language plpgsql
-- A plan is made once, often while the tables are still empty, and must hold when they are large.
set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  fresh uuid[];          -- arrived ids that are stored now
  fresh_visitors uuid[];
  fresh_sessions uuid[]; -- parallel to fresh; the nil id until recut_sessions has placed a late event
  arrived_count integer;
  late_visitor record;
begin
  perform set_config('marketing.sites', own_sites, true);

  -- Sent without id and time: the same body again within 30 s takes the id of the one stored before.
  if exists (select from unnest(arrived) where body_key is not null) then
    insert into recent_bodies as known (site_id, body_key, event_id, seen_at)
    select a.site_id, a.body_key, a.event_id, now()
    from unnest(arrived) a
    where a.body_key is not null
    order by a.site_id, a.body_key
    on conflict (site_id, body_key) do update
    set event_id = excluded.event_id, seen_at = excluded.seen_at
    where known.seen_at <= excluded.seen_at - interval '30 seconds';
  end if;

  with sent as materialized (
    select a.site_id, coalesce(known.event_id, a.event_id) as event_id, a.event_id as arrived_id, a.visitor_id,
      coalesce(a.received_at, now()) as received_at, a.ip_hash, a.ua_hash, a.privacy_signal,
      least(greatest(coalesce(a.client_at, a.received_at, now()), coalesce(a.received_at, now()) - interval '24 hours'),
        coalesce(a.received_at, now()) + interval '5 minutes') as occurred_at
    from unnest(arrived) a
    left join lateral (
      select b.event_id from recent_bodies b where b.site_id = a.site_id and b.body_key = a.body_key limit 1
    ) known on true
  ), keyed as (
    insert into event_keys (site_id, event_id, visitor_id, occurred_at)
    select site_id, event_id, visitor_id, occurred_at from sent order by site_id, event_id
    on conflict do nothing
    returning site_id, event_id
  ), kept as materialized (
    select sent.* from sent join keyed using (site_id, event_id)
  ), seen as (
    insert into visitors as v (site_id, visitor_id, first_seen_at, last_seen_at, ip_hash, ua_hash, privacy_signal)
    select distinct on (site_id, visitor_id) site_id, visitor_id,
      min(occurred_at) over whole, max(occurred_at) over whole, ip_hash, ua_hash, privacy_signal
    from kept
    window whole as (partition by site_id, visitor_id)
    order by site_id, visitor_id, occurred_at desc
    on conflict (site_id, visitor_id) do update
    set first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
      last_seen_at = greatest(v.last_seen_at, excluded.last_seen_at),
      ip_hash = excluded.ip_hash, ua_hash = excluded.ua_hash, privacy_signal = excluded.privacy_signal
  ), counted as (
    insert into ingest_ledger as l (site_id, day, outcome, count)
    select site_id, day, outcome, sum(count) from (
      select sent.site_id, (sent.received_at at time zone 'UTC')::date as day, outcome,
        count(*) filter (where outcome = 'received' or keyed.event_id is null) as count
      from sent left join keyed using (site_id, event_id), (values ('received'), ('duplicate')) outcomes (outcome)
      group by 1, 2, 3
      union all
      select r.site_id, (now() at time zone 'UTC')::date, outcome, r.count
      from json_to_recordset(repeated) as r (site_id uuid, count bigint), (values ('received'), ('duplicate')) outcomes (outcome)
    ) parts
    group by 1, 2, 3 having sum(count) > 0 order by 1, 2, 3
    on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count
  )
  select (select count(*) from sent), (select array_agg(arrived_id) from kept) into arrived_count, fresh;

  if fresh is not null then
    -- The visitors are locked now, so nobody else cuts their sessions; this statement sees the latest ones.
    with kept as materialized (
      select a.*, coalesce(a.received_at, now()) as arrived_at,
        least(greatest(coalesce(a.client_at, a.received_at, now()), coalesce(a.received_at, now()) - interval '24 hours'),
          coalesce(a.received_at, now()) + interval '5 minutes') as occurred_at
      from unnest(arrived) a
      where a.event_id = any (fresh)
    ), latest as (
      select v.site_id, v.visitor_id, s.row_at as last_row, s.session_id as last_id, s.started_at as last_start, s.last_activity_at as last_at, s.utm as last_utm
      from (select distinct site_id, visitor_id from kept) v
      cross join lateral (
        select *, s.ctid as row_at from sessions s where s.site_id = v.site_id and s.visitor_id = v.visitor_id
        order by s.started_at desc limit 1
      ) s
    ), ordered as (
      -- narrow on purpose: the window steps carry six columns instead of thirty (half the time of a small batch)
      select kept.site_id, kept.visitor_id, kept.event_id, kept.occurred_at, kept.utm, last_row, last_id, last_start, last_at, last_utm,
        row_number() over visit as nth,
        last_id is null and row_number() over visit = 1
          or occurred_at - greatest(last_at, lag(occurred_at) over visit) > inactivity as after_silence,
        -- Earlier than the session we know, or a campaign inside it: recut_sessions decides with all rows before it.
        bool_or(coalesce(occurred_at < last_start or (occurred_at < last_at and utm <> coalesce(last_utm, '{}')), false))
          over (partition by site_id, visitor_id) as is_late
      from kept left join latest using (site_id, visitor_id)
      window visit as (partition by site_id, visitor_id order by occurred_at, event_id)
    ), islands as (
      select *, count(*) filter (where after_silence) over (partition by site_id, visitor_id order by nth) as island
      from ordered
    ), campaigns as (
      select *, count(utm) over (partition by site_id, visitor_id, island order by nth) as campaign from islands
    ), carried as (
      -- the campaign that a session cut here would have had so far; a session starts with its first event's, or none
      select *, case when campaign > 0 then first_value(utm) over (partition by site_id, visitor_id, island, campaign order by nth)
        when island = 0 then last_utm end as campaign_now
      from campaigns
    ), cut as (
      select *, after_silence or (utm is not null and utm is distinct from
        coalesce(lag(campaign_now) over (partition by site_id, visitor_id, island order by nth), case when island = 0 and nth = 1 then last_utm end)) as starts
      from carried
    ), numbered as (
      select *, count(*) filter (where starts) over (partition by site_id, visitor_id order by nth) as session_number,
        case when starts then uuidv7() end as new_id
      from cut
    ), placed as materialized (
      select site_id, visitor_id, event_id, occurred_at, last_row, last_id, last_start, last_at, starts, is_late, session_number,
        case when is_late then '00000000-0000-0000-0000-000000000000'
          when session_number = 0 then last_id
          else first_value(new_id) over (partition by site_id, visitor_id, session_number order by nth) end as session_id,
        max(occurred_at) over (partition by site_id, visitor_id, session_number) as active_until
      from numbered
    ), started as (
      insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, utm,
        device_type, browser, os, country)
      select p.site_id, p.session_id, p.visitor_id, p.occurred_at, p.active_until, k.path, k.referrer, k.source, k.utm,
        k.device_type, k.browser, k.os, k.country
      from placed p join kept k using (event_id) where p.starts and not p.is_late
    ), continued as (
      -- by its place: a plan made while the table was empty joins any other way by walking all sessions of the site,
      -- and the visitor's lock keeps the row where it was found
      update sessions s set last_activity_at = p.active_until
      from (select distinct last_row, active_until from placed where session_number = 0 and not is_late and active_until > last_at) p
      where s.ctid = p.last_row
    ), stored as (
      insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source,
        utm, bot_reason, clamped, privacy_signal, is_conversion, engaged_ms, scroll_percent, fcp_ms, lcp_ms, inp_ms, ttfb_ms,
        cls_score, props)
      select k.site_id, k.event_id, k.visitor_id, p.session_id, k.occurred_at, arrived_at, event_type, path, referrer, source,
        utm, bot_reason, coalesce(k.occurred_at <> client_at, false), privacy_signal, is_conversion, engaged_ms, scroll_percent, fcp_ms,
        lcp_ms, inp_ms, ttfb_ms, cls_score, props
      from placed p join kept k using (event_id)
      returning site_id, received_at
    ), counted as (
      insert into ingest_ledger as l (site_id, day, outcome, count)
      select site_id, (received_at at time zone 'UTC')::date, 'accepted', count(*) from stored group by 1, 2 order by 1, 2
      on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count
    ), marked as (
      -- Today is rolled up all the time; an older day only when something says that it changed.
      insert into dirty_days (site_id, day, cause)
      select distinct site_id, (at at time zone 'UTC')::date, 'late_event' from (
        select site_id, occurred_at as at from placed
        union all select site_id, last_start from placed where session_number = 0 and not is_late
      ) touched
      where at < date_trunc('day', now(), 'UTC')
    )
    select array_agg(event_id), array_agg(visitor_id), array_agg(session_id) into fresh, fresh_visitors, fresh_sessions from placed;

    if '00000000-0000-0000-0000-000000000000' = any (fresh_sessions) then
      for late_visitor in
        select a.site_id, a.visitor_id, (array_agg(a.device_type))[1] as device_type, (array_agg(a.browser))[1] as browser,
          (array_agg(a.os))[1] as os, (array_agg(a.country))[1] as country
        from unnest(arrived) a
        join unnest(fresh, fresh_sessions) as f (event_id, session_id) using (event_id)
        where f.session_id = '00000000-0000-0000-0000-000000000000'
        group by 1, 2 order by 1, 2
      loop
        perform recut_sessions(late_visitor.site_id, late_visitor.visitor_id, inactivity,
          late_visitor.device_type, late_visitor.browser, late_visitor.os, late_visitor.country);
      end loop;
      select array_agg(e.event_id), array_agg(e.visitor_id), array_agg(e.session_id) into fresh, fresh_visitors, fresh_sessions
      from unnest(arrived) a
      cross join lateral (
        select e.* from event_keys k
        join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
        where k.site_id = a.site_id and k.event_id = a.event_id limit 1
      ) e
      where a.event_id = any (fresh);
    end if;

    return query select f.event_id, f.event_id, f.visitor_id, f.session_id, false
      from unnest(fresh, fresh_visitors, fresh_sessions) as f (event_id, visitor_id, session_id);
  end if;

  if arrived_count > coalesce(cardinality(fresh), 0) then
    -- The answer to a duplicate is the first one's; its session is unknown once the raw row was purged.
    return query
      select a.event_id, first.event_id, first.visitor_id, first.session_id, true
      from unnest(arrived) a
      left join lateral (
        select b.event_id from recent_bodies b where b.site_id = a.site_id and b.body_key = a.body_key limit 1
      ) known on true
      cross join lateral (
        select k.event_id, k.visitor_id, e.session_id
        from event_keys k
        left join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
        where k.site_id = a.site_id and k.event_id = coalesce(known.event_id, a.event_id) limit 1
      ) first
      where fresh is null or a.event_id <> all (fresh);
  end if;
end $$;
comment on function ingest_events is 'stores a batch of events; see src/events/ingest_events.sql';
