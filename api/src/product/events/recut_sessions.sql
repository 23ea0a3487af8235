-- Cuts one visitor's recent sessions anew from the raw events, in the order of event time. Called for late arrivals
-- (events stored under the nil session), so that the sessions do not depend on the order in which events came.
-- An existing session keeps its id as long as its first event starts a session. The caller has the visitor locked.
--
-- device, …   what a session gets that did not exist before (events do not hold them)
create or replace function recut_sessions(for_site uuid, for_visitor uuid, inactivity interval,
  device text, device_browser text, device_os text, device_country text)
returns void language plpgsql as $$
#variable_conflict use_column
declare
  nil constant uuid := '00000000-0000-0000-0000-000000000000';
  earliest timestamptz; -- of the late events
  begins timestamptz;   -- of the sessions that the late events may touch
  came_from text;       -- of the session before those
begin
  select min(occurred_at) into earliest from events
  where site_id = for_site and visitor_id = for_visitor and session_id = nil and occurred_at >= now() - interval '25 hours' - inactivity;
  if earliest is null then -- recorded days that are replayed carry their own time of arrival
    select min(occurred_at) into earliest from events where site_id = for_site and visitor_id = for_visitor and session_id = nil;
  end if;
  select least(earliest, min(started_at)) into begins from sessions
  where site_id = for_site and visitor_id = for_visitor and last_activity_at >= earliest - inactivity;

  select source into came_from from sessions
  where site_id = for_site and visitor_id = for_visitor and started_at < begins order by started_at desc limit 1;

  with ordered as (
    select event_id, occurred_at, path, referrer, source, utm, nullif(session_id, nil) as old_id,
      row_number() over visit as nth,
      coalesce(occurred_at - lag(occurred_at) over visit > inactivity, true) as after_silence
    from events
    where site_id = for_site and visitor_id = for_visitor and occurred_at >= begins
    window visit as (order by occurred_at, event_id)
  ), islands as (
    select *, count(*) filter (where after_silence) over (order by nth) as island from ordered
  ), campaigns as (
    select *, count(utm) over (partition by island order by nth) as campaign from islands
  ), carried as (
    select *, case when campaign > 0 then first_value(utm) over (partition by island, campaign order by nth) end as campaign_now from campaigns
  ), cut as (
    select *, after_silence or (utm is not null and utm is distinct from lag(campaign_now) over (partition by island order by nth)) as starts
    from carried
  ), numbered as (
    select *, count(*) filter (where starts) over (order by nth) as session_number,
      row_number() over (partition by old_id order by nth) = 1 and old_id is not null as opened_old
    from cut
  ), grouped as materialized (
    -- a session that swallowed another keeps the id of the one that began first
    select session_number, coalesce((array_agg(old_id order by nth) filter (where opened_old))[1], uuidv7()) as session_id,
      min(occurred_at) as started_at, max(occurred_at) as last_activity_at, min(nth) as first_nth
    from numbered group by session_number
  ), first_touches as (
    select g.session_number, nullif(f.source, 'carried') as source,
      count(nullif(f.source, 'carried')) over (order by g.session_number) as touch
    from grouped g join numbered f on f.nth = g.first_nth
  ), touches as (
    -- what begins on a page of the site itself carries the source of the session before it
    select session_number, coalesce(first_value(source) over (partition by touch order by session_number), came_from, 'direct') as source
    from first_touches
  ), moved as (
    update events e set session_id = g.session_id
    from numbered n join grouped g using (session_number)
    where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = n.occurred_at and e.event_id = n.event_id
      and e.session_id is distinct from g.session_id
  ), swallowed as (
    delete from sessions s
    where s.site_id = for_site and s.visitor_id = for_visitor and s.started_at >= begins
      and not exists (select from grouped g where g.session_id = s.session_id)
  ), written as (
    insert into sessions as s (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, utm,
      device_type, browser, os, country)
    select for_site, g.session_id, for_visitor, g.started_at, g.last_activity_at, f.path, f.referrer, t.source, f.utm,
      coalesce(device, 'unknown'), device_browser, device_os, device_country
    from grouped g join numbered f on f.nth = g.first_nth join touches t on t.session_number = g.session_number
    on conflict (site_id, session_id) do update
    set started_at = excluded.started_at, last_activity_at = excluded.last_activity_at, landing_path = excluded.landing_path,
      referrer = excluded.referrer, source = excluded.source, utm = excluded.utm
  )
  insert into dirty_days (site_id, day, cause)
  select distinct for_site, (occurred_at at time zone 'UTC')::date, 'late_event' from numbered
  where occurred_at < date_trunc('day', now(), 'UTC');
end $$;
comment on function recut_sessions is 'cuts a visitor''s recent sessions anew by event time; see src/product/events/recut_sessions.sql';
