-- Cuts one visitor's recent sessions anew from the raw events, in the order of event time. Called for late arrivals
-- (events stored under the nil session) and after a verdict, so that the sessions depend neither on the order in which
-- events came nor on when it was known who is a bot. An existing session keeps its id as long as its first event starts
-- a session. The caller has the visitor locked.
--
-- of_bots  which of the visitor's sessions: those of bot events, or the human's
-- since    the earliest event that changed; null: that of the late ones
drop function if exists recut_sessions(uuid, uuid, interval, text, text, text, text);
create or replace function recut_sessions(for_site uuid, for_visitor uuid, of_bots boolean, since timestamptz, inactivity interval)
returns void language plpgsql as $$
#variable_conflict use_column
declare
  nil constant uuid := '00000000-0000-0000-0000-000000000000';
  earliest timestamptz := since;
  begins timestamptz;   -- of the sessions that the changed events may touch
  came_from text;       -- source of the session before them
begin
  if earliest is null then
    select min(occurred_at) into earliest from events
    where site_id = for_site and visitor_id = for_visitor and session_id = nil and (bot_reason is not null) = of_bots
      and occurred_at >= now() - interval '25 hours' - inactivity;
  end if;
  if earliest is null then -- recorded days that are replayed carry their own time of arrival
    select min(occurred_at) into earliest from events
    where site_id = for_site and visitor_id = for_visitor and session_id = nil and (bot_reason is not null) = of_bots;
  end if;
  select least(earliest, min(started_at)) into begins from sessions
  where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and last_activity_at >= earliest - inactivity;
  select source into came_from from sessions
  where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and started_at < begins order by started_at desc limit 1;

  with ordered as (
    select event_id, occurred_at, path, referrer, source, utm, device_type, browser, os, country, nullif(session_id, nil) as old_id,
      row_number() over visit as nth,
      coalesce(occurred_at - lag(occurred_at) over visit > inactivity, true) as after_silence
    from events
    where site_id = for_site and visitor_id = for_visitor and occurred_at >= begins and (bot_reason is not null) = of_bots
    window visit as (order by occurred_at, event_id)
  ), islands as (
    select *, count(*) filter (where after_silence) over (order by nth) as island from ordered
  ), campaigns as (
    select *, count(utm) over (partition by island order by nth) as campaign from islands
  ), campaigned as (
    select *, case when campaign > 0 then first_value(utm) over (partition by island, campaign order by nth) end as campaign_now from campaigns
  ), cut as (
    select *, after_silence or (utm is not null and utm is distinct from lag(campaign_now) over (partition by island order by nth)) as starts
    from campaigned
  ), numbered as (
    select *, count(*) filter (where starts) over (order by nth) as session_number,
      row_number() over (partition by old_id order by nth) = 1 and old_id is not null as opened_old
    from cut
  ), grouped as materialized (
    -- a session that swallowed another keeps the id of the one that began first
    select session_number, coalesce((array_agg(old_id order by nth) filter (where opened_old))[1], uuidv7()) as session_id,
      min(occurred_at) as started_at, max(occurred_at) as last_activity_at, min(nth) as first_nth
    from numbered group by session_number
  ), opened as (
    select g.*, f.path, f.referrer, f.utm, f.device_type, f.browser, f.os, f.country,
      case when f.source not in ('internal', 'carried') then f.source end as own_source
    from grouped g join numbered f on f.nth = g.first_nth
  ), chained as (
    select *, count(own_source) over (order by session_number) as chain from opened
  ), sourced as (
    select *, coalesce(first_value(own_source) over (partition by chain order by session_number), came_from) as source from chained
  ), moved as (
    update events e set session_id = g.session_id
    from numbered n join grouped g using (session_number)
    where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = n.occurred_at and e.event_id = n.event_id
      and e.session_id is distinct from g.session_id
  ), swallowed as (
    delete from sessions s
    where s.site_id = for_site and s.visitor_id = for_visitor and s.is_bot = of_bots and s.started_at >= begins
      and not exists (select from grouped g where g.session_id = s.session_id)
  ), written as (
    insert into sessions as s (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, utm,
      device_type, browser, os, country, is_bot, is_carried)
    select for_site, session_id, for_visitor, started_at, last_activity_at, path, referrer, coalesce(source, 'direct'), utm,
      coalesce(device_type, 'unknown'), browser, os, country, of_bots, own_source is null and source is not null
    from sourced
    on conflict (site_id, session_id) do update
    set started_at = excluded.started_at, last_activity_at = excluded.last_activity_at, landing_path = excluded.landing_path,
      referrer = excluded.referrer, source = excluded.source, utm = excluded.utm, is_carried = excluded.is_carried,
      -- events that were stored before they kept these say nothing
      device_type = case when excluded.device_type = 'unknown' then s.device_type else excluded.device_type end,
      browser = coalesce(excluded.browser, s.browser), os = coalesce(excluded.os, s.os), country = coalesce(excluded.country, s.country)
  )
  insert into dirty_visits (site_id, since, until, visitor_ids)
  select for_site, min(occurred_at), max(occurred_at), array[for_visitor] from numbered group by site_day(for_site, occurred_at);

  if not of_bots then
    perform renew_first_touches(for_site, array(
      select lead_id from lead_identities where site_id = for_site and visitor_id = for_visitor and link_source = 'form_submit'
        and unlinked_at is null));
    insert into dirty_leads (site_id, visitor_id, is_first_touch)
    select for_site, for_visitor, true where exists (select from lead_identities where site_id = for_site and visitor_id = for_visitor);
  end if;
end $$;
comment on function recut_sessions is 'cuts a visitor''s recent sessions anew by event time; see src/product/events/recut_sessions.sql';

-- After some of a visitor's events (under the nil session since) were judged anew: their sessions, the human's and the
-- bot's, and when the human was first seen. The caller has the visitor locked.
create or replace function recut_visitor(for_site uuid, for_visitor uuid, since timestamptz, inactivity interval)
returns void language plpgsql as $$
begin
  update visitors v set first_human_at = raw.human_at
  from (
    select min(occurred_at) as seen_at, min(occurred_at) filter (where bot_reason is null) as human_at
    from events where site_id = for_site and visitor_id = for_visitor
  ) raw
  where v.site_id = for_site and v.visitor_id = for_visitor and v.first_human_at is distinct from raw.human_at
    -- a first sight from before the raw events we still have is not touched by them
    and (v.first_human_at is null or v.first_human_at >= raw.seen_at);
  perform recut_sessions(for_site, for_visitor, false, since, inactivity);
  perform recut_sessions(for_site, for_visitor, true, since, inactivity);
end $$;
comment on function recut_visitor is 'cuts the sessions of a judged visitor anew; see src/product/events/recut_sessions.sql';

-- One event is spam after all, or not: whoever else derived something from it follows.
create or replace function judge_event(for_site uuid, for_event uuid, reason text, instead_of text, inactivity interval)
returns void language plpgsql as $$
#variable_conflict use_column
declare
  key event_keys;
begin
  select * into key from event_keys where site_id = for_site and event_id = for_event;
  perform from visitors where site_id = for_site and visitor_id = key.visitor_id for update;
  update events e set bot_reason = reason, session_id = '00000000-0000-0000-0000-000000000000'
  where e.site_id = for_site and e.visitor_id = key.visitor_id and e.occurred_at = key.occurred_at and e.event_id = for_event
    and e.bot_reason is not distinct from instead_of;
  if found then
    perform recut_visitor(for_site, key.visitor_id, key.occurred_at, inactivity);
    -- the day before too: a session across midnight belongs to it
    insert into dirty_visits (site_id, since, until, visitor_ids)
    values (for_site, site_day_starts(for_site, site_day(for_site, key.occurred_at)) - interval '1 ms', key.occurred_at, array[key.visitor_id]);
  end if;
end $$;
comment on function judge_event is 'one event is a bot''s, or is not; see src/product/events/recut_sessions.sql';
