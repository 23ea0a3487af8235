-- Cuts a visitor's sessions anew where events came late (stored under the nil session), or were judged anew: in the order of
-- event time, so that sessions depend neither on the order in which events came nor on when it was known who is a bot. An
-- existing session keeps its id as long as its first event starts a session. The caller has the visitor locked.
--
-- Only the sessions that are touched are looked at, however many events the visitor has. A session's row says all that its
-- neighbours need to know: when it began and ended, and its campaign, which every event in it that has one shares. So it
-- takes part whole, as one piece; only one that a late campaign splits, or whose events were judged, is taken apart.
-- Figures: docs/decisions/0008-order-of-arrival.md.
drop function if exists recut_sessions(uuid, uuid, interval, text, text, text, text);
drop function if exists recut_sessions(uuid, uuid, boolean, timestamptz, interval);
drop function if exists recut_visitor(uuid, uuid, timestamptz, interval);

-- The source of the session before that moment; null when there is none.
create or replace function source_before(for_site uuid, for_visitor uuid, of_bots boolean, at timestamptz) returns text
language sql stable as $$
  select s.source from sessions s
  left join lateral (
    select e.event_id from events e where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = s.started_at
      and e.session_id = s.session_id order by e.event_id limit 1
  ) began on true
  where s.site_id = for_site and s.visitor_id = for_visitor and s.is_bot = of_bots and s.started_at = (
    select max(b.started_at) from sessions b
    where b.site_id = for_site and b.visitor_id = for_visitor and b.is_bot = of_bots and b.started_at < at)
  order by began.event_id desc limit 1
$$;

-- Sessions after that moment which have no source of their own carry another one now.
create or replace function carry_source(for_site uuid, for_visitor uuid, of_bots boolean, after timestamptz, came_from text) returns void
language plpgsql as $$
declare
  next record;
begin
  for next in
    select s.session_id, s.started_at, s.last_activity_at, s.source, s.is_carried, s.is_carried or (s.source = 'direct' and coalesce(began.source, '') in ('internal', 'carried')) as carries
    from sessions s
    left join lateral (
      select e.event_id, e.source from events e where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = s.started_at
        and e.session_id = s.session_id order by e.event_id limit 1
    ) began on true
    where s.site_id = for_site and s.visitor_id = for_visitor and s.is_bot = of_bots and s.started_at > after
    order by s.started_at, began.event_id
  loop
    exit when not next.carries or (next.source = coalesce(came_from, 'direct') and next.is_carried = (came_from is not null));
    update sessions set source = coalesce(came_from, 'direct'), is_carried = came_from is not null
    where site_id = for_site and session_id = next.session_id;
    came_from := coalesce(came_from, 'direct'); -- the first of all carries nothing, the next one carries that
    insert into dirty_visits (site_id, since, until, visitor_ids)
    values (for_site, next.started_at, next.last_activity_at, array[for_visitor]);
  end loop;
end $$;

-- Few events are looked up one by one, many are picked from all that the visitor has between the first and the last of them.
create or replace function move_events(for_site uuid, for_visitor uuid, ids uuid[], times timestamptz[], to_sessions uuid[]) returns void
language plpgsql set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off as $$
begin
  if cardinality(ids) > 50 then
    update events e set session_id = moved.session_id
    from unnest(ids, times, to_sessions) as moved (event_id, at, session_id)
    where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at between times[1] and times[cardinality(times)]
      and e.occurred_at = moved.at and e.event_id = moved.event_id;
  else
    for n in 1 .. cardinality(ids) loop
      update events e set session_id = to_sessions[n]
      where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = times[n] and e.event_id = ids[n];
    end loop;
  end if;
end $$;

-- late          when the late events happened, ascending
-- since, until  whatever happened between may have been judged anew; null: nothing was
create or replace function cut_stretch(for_site uuid, for_visitor uuid, of_bots boolean, late timestamptz[], since timestamptz, until timestamptz,
  inactivity interval) returns void language plpgsql as $$
#variable_conflict use_column
declare
  nil constant uuid := '00000000-0000-0000-0000-000000000000';
  begins timestamptz;  -- of the session before what changed: where that one starts does not change
  ends timestamptz;    -- of the second session after it: from the third on none can change, for the second starts by silence or campaign
  earliest timestamptz; latest timestamptz; -- of all events that may matter: only their days' partitions are opened
  came_from text;      -- source of the session before them
  -- what has another session now: single events, by their times, and sessions that another one has swallowed
  moved_ids uuid[]; moved_times timestamptz[]; moved_sessions uuid[];
  merged record;
  merged_sessions json;
begin
  select coalesce(max(started_at), '-infinity') into begins from sessions
  where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and started_at < least(late[1], since);
  select max(started_at) into ends from (
    select started_at from sessions
    where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and started_at > greatest(late[cardinality(late)], until)
    order by started_at limit 2) next;
  came_from := source_before(for_site, for_visitor, of_bots, begins);
  select least(min(started_at), late[1]), greatest(max(last_activity_at), late[cardinality(late)]) into earliest, latest from sessions
  where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and started_at >= begins and started_at <= coalesce(ends, 'infinity');

  with stands as materialized (
    select s.session_id, s.started_at, s.last_activity_at, s.utm, e.event_id, coalesce(e.path, s.landing_path) as path,
      -- its raw rows may be gone
      case when e.event_id is null then s.referrer else e.referrer end as referrer,
      case when e.event_id is not null then e.source when s.is_carried then 'carried' else s.source end as source,
      coalesce(e.device_type, s.device_type) as device_type, coalesce(e.browser, s.browser) as browser, coalesce(e.os, s.os) as os,
      coalesce(e.country, s.country) as country, coalesce(e.privacy_signal, s.privacy_signal) as privacy_signal
    from sessions s
    left join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = s.started_at
        and e.occurred_at between earliest and latest and e.session_id = s.session_id order by e.event_id limit 1
    ) e on true
    where s.site_id = for_site and s.visitor_id = for_visitor and s.is_bot = of_bots and s.started_at >= begins
      and s.started_at <= coalesce(ends, 'infinity')
  ), arrived as materialized (
    select e.* from unnest(late) as at cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at = at
        and e.occurred_at between earliest and latest and e.session_id = nil and (e.bot_reason is not null) = of_bots offset 0
    ) e
  ), inside as materialized (
    select a.event_id, a.occurred_at, s.session_id, a.utm is not null and a.utm is distinct from s.utm as splits
    from arrived a cross join lateral (
      select * from stands b where (b.started_at, b.event_id) < (a.occurred_at, a.event_id) order by b.started_at desc, b.event_id desc limit 1
    ) s where a.occurred_at <= s.last_activity_at
  ), opened as materialized (
    select session_id from inside where splits
    union select session_id from stands where started_at <= until and last_activity_at >= since
  ), absorbed as materialized (
    select * from inside where session_id not in (select session_id from opened)
  ), pieces as (
    select session_id as old_id, true as whole, event_id, started_at, last_activity_at, path, referrer, source, utm, device_type, browser, os, country, privacy_signal
    from stands where session_id not in (select session_id from opened)
    union all
    select s.session_id, false, e.event_id, e.occurred_at, e.occurred_at, e.path, e.referrer, e.source, e.utm, e.device_type, e.browser, e.os, e.country,
      e.privacy_signal
    from stands s cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at between s.started_at and s.last_activity_at
        and e.occurred_at between earliest and latest and e.session_id = s.session_id offset 0
    ) e where s.session_id in (select session_id from opened)
    union all
    select null, false, event_id, occurred_at, occurred_at, path, referrer, source, utm, device_type, browser, os, country, privacy_signal
    from arrived where event_id not in (select event_id from absorbed)
  ), ordered as (
    select *, row_number() over visit as nth, coalesce(started_at - lag(last_activity_at) over visit > inactivity, true) as after_silence
    from pieces window visit as (order by started_at, event_id)
  ), islands as (
    select *, count(*) filter (where after_silence) over (order by nth) as island from ordered
  ), campaigns as (
    select *, count(utm) over (partition by island order by nth) as campaign from islands
  ), campaigned as (
    select *, case when campaign > 0 then first_value(utm) over (partition by island, campaign order by nth) end as campaign_now from campaigns
  ), cut as (
    select *, after_silence or (utm is not null and utm is distinct from lag(campaign_now) over (partition by island order by nth)) as starts
    from campaigned
  ), numbered as materialized (
    select *, count(*) filter (where starts) over (order by nth) as session_number,
      row_number() over (partition by old_id order by nth) = 1 and old_id is not null as opened_old
    from cut
  ), grouped as materialized (
    -- a session that swallowed another keeps the id of the one that began first
    select session_number, coalesce((array_agg(old_id order by nth) filter (where opened_old))[1], uuidv7()) as session_id,
      min(started_at) as started_at, max(last_activity_at) as last_activity_at, min(nth) as first_nth, bool_or(not whole) as has_parts
    from numbered group by session_number
  ), opening as (
    select g.*, f.path, f.referrer, f.utm, f.device_type, f.browser, f.os, f.country, f.privacy_signal,
      case when f.source not in ('internal', 'carried') then f.source end as own_source
    from grouped g join numbered f on f.nth = g.first_nth
  ), chained as (
    select *, count(own_source) over (order by session_number) as chain from opening
  ), sourced as materialized (
    select *, coalesce(first_value(own_source) over (partition by chain order by session_number), came_from, 'direct') as source,
      -- the visitor's first session has nothing to carry
      own_source is null and (came_from is not null or session_number > 1) as is_carried
    from chained
  ), moved as (
    select n.event_id, n.started_at as at, g.session_id from numbered n join grouped g using (session_number)
    where not n.whole and n.old_id is distinct from g.session_id
    union all
    select a.event_id, a.occurred_at, g.session_id
    from absorbed a join numbered n on n.old_id = a.session_id join grouped g using (session_number)
  ), swallowed as (
    delete from sessions s using stands b
    where s.site_id = for_site and s.session_id = b.session_id and not exists (select from grouped g where g.session_id = b.session_id)
  ), written as (
    insert into sessions as s (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, utm,
      device_type, browser, os, country, is_bot, is_carried, privacy_signal)
    select for_site, session_id, for_visitor, started_at, last_activity_at, path, referrer, source, utm,
      coalesce(device_type, 'unknown'), browser, os, country, of_bots, is_carried, privacy_signal
    from sourced
    on conflict (site_id, session_id) do update
    set started_at = excluded.started_at, last_activity_at = excluded.last_activity_at, landing_path = excluded.landing_path,
      referrer = excluded.referrer, source = excluded.source, utm = excluded.utm, is_carried = excluded.is_carried, privacy_signal = excluded.privacy_signal,
      -- events that were stored before they kept these say nothing
      device_type = case when excluded.device_type = 'unknown' then s.device_type else excluded.device_type end,
      browser = coalesce(excluded.browser, s.browser), os = coalesce(excluded.os, s.os), country = coalesce(excluded.country, s.country)
    where (s.started_at, s.last_activity_at, s.landing_path, s.referrer, s.source, s.utm, s.is_carried, s.privacy_signal) is distinct from
      (excluded.started_at, excluded.last_activity_at, excluded.landing_path, excluded.referrer, excluded.source, excluded.utm, excluded.is_carried,
        excluded.privacy_signal)
    returning s.started_at, s.last_activity_at
  ), changed as (
    select started_at, last_activity_at from written
    union all select started_at, last_activity_at from grouped where has_parts
    union all select at, at from absorbed a join stands b using (session_id) cross join lateral (values (a.occurred_at), (b.started_at)) as touched (at)
  ), marked as (
    insert into dirty_visits (site_id, since, until, visitor_ids)
    select for_site, min(started_at), max(last_activity_at), array[for_visitor] from changed group by site_day(for_site, started_at)
  )
  select coalesce((select source from sourced order by session_number desc limit 1), came_from),
    array_agg(event_id order by at), array_agg(at order by at), array_agg(session_id order by at),
    (select json_agg(json_build_object('was', n.old_id, 'is', g.session_id, 'since', n.started_at, 'until', n.last_activity_at))
      from numbered n join grouped g using (session_number) where n.whole and n.old_id <> g.session_id)
  from moved into came_from, moved_ids, moved_times, moved_sessions, merged_sessions;
  if moved_ids is not null then
    perform move_events(for_site, for_visitor, moved_ids, moved_times, moved_sessions);
  end if;
  for merged in select * from json_to_recordset(merged_sessions) as m (was uuid, "is" uuid, since timestamptz, until timestamptz) loop
    update events e set session_id = merged.is
    where e.site_id = for_site and e.visitor_id = for_visitor and e.occurred_at between merged.since and merged.until and e.session_id = merged.was;
  end loop;
  if ends is not null then
    perform carry_source(for_site, for_visitor, of_bots, ends, came_from);
  end if;
end $$;
comment on function cut_stretch is 'cuts sessions anew around what changed; see src/product/events/recut_sessions.sql';

-- Whoever came by these sessions is told.
create or replace function tell_recut(for_site uuid, for_visitor uuid, of_bots boolean) returns void language plpgsql as $$
begin
  if of_bots then
    return;
  end if;
  perform renew_first_touches(for_site, array(
    select lead_id from lead_identities where site_id = for_site and visitor_id = for_visitor and link_source = 'form_submit'
      and unlinked_at is null));
  insert into dirty_leads (site_id, visitor_id, is_first_touch)
  select for_site, for_visitor, true where exists (select from lead_identities where site_id = for_site and visitor_id = for_visitor);
end $$;

-- Late events find their sessions.
--
-- of_bots  which of the visitor's sessions: those of bot events, or the human's
-- late     when they happened
create or replace function recut_sessions(for_site uuid, for_visitor uuid, of_bots boolean, late timestamptz[], inactivity interval)
returns void language plpgsql as $$
#variable_conflict use_column
declare
  times timestamptz[] := array(select distinct at from unnest(late) as t (at) order by at);
  first integer := 1;
  last integer;
  ends timestamptz;
begin
  while first <= cardinality(times) loop
    last := first;
    loop -- what is near enough to matter to each other is cut together, and nothing else in between
      select max(started_at) into ends from (
        select started_at from sessions
        where site_id = for_site and visitor_id = for_visitor and is_bot = of_bots and started_at > times[last] order by started_at limit 2) next;
      exit when last = cardinality(times) or times[last + 1] > ends;
      last := last + 1;
    end loop;
    perform cut_stretch(for_site, for_visitor, of_bots, times[first:last], null, null, inactivity);
    first := last + 1;
  end loop;
  perform tell_recut(for_site, for_visitor, of_bots);
end $$;
comment on function recut_sessions is 'gives late events their sessions; see src/product/events/recut_sessions.sql';

-- After some of a visitor's events (under the nil session since) were judged anew: their sessions, the human's and the
-- bot's, and when the human was first seen. The caller has the visitor locked.
--
-- since, until  when the first and the last of them happened
create or replace function recut_visitor(for_site uuid, for_visitor uuid, since timestamptz, until timestamptz, inactivity interval)
returns void language plpgsql as $$
declare
  of_bots boolean;
begin
  update visitors v set first_human_at = raw.human_at
  from (
    select min(occurred_at) as seen_at, min(occurred_at) filter (where bot_reason is null) as human_at
    from events where site_id = for_site and visitor_id = for_visitor
  ) raw
  where v.site_id = for_site and v.visitor_id = for_visitor and v.first_human_at is distinct from raw.human_at
    -- a first sight from before the raw events we still have is not touched by them
    and (v.first_human_at is null or v.first_human_at >= raw.seen_at);
  foreach of_bots in array '{f,t}'::boolean[] loop
    perform cut_stretch(for_site, for_visitor, of_bots, array(
        select distinct occurred_at from events
        where site_id = for_site and visitor_id = for_visitor and occurred_at between since and until
          and session_id = '00000000-0000-0000-0000-000000000000' and (bot_reason is not null) = of_bots order by 1
      ), since, until, inactivity);
    perform tell_recut(for_site, for_visitor, of_bots);
  end loop;
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
    perform recut_visitor(for_site, key.visitor_id, key.occurred_at, key.occurred_at, inactivity);
    -- the day before too: a session across midnight belongs to it
    insert into dirty_visits (site_id, since, until, visitor_ids)
    values (for_site, site_day_starts(for_site, site_day(for_site, key.occurred_at)) - interval '1 ms', key.occurred_at, array[key.visitor_id]);
  end if;
end $$;
comment on function judge_event is 'one event is a bot''s, or is not; see src/product/events/recut_sessions.sql';
