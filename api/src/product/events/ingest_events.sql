-- Stores one batch of events in one round trip: recognises duplicates, keeps visitors, cuts sessions, counts the ledger.
-- A function, because what follows the lock on the visitors must see what a competing batch has committed meanwhile (read
-- committed gives each statement a new snapshot; the CTEs of a single statement would all share one). Sessions are cut in
-- a loop over the batch in memory: as a chain of seven window steps the same rules cost three times as much.
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

-- The client's instant, within [received - 24 h, received + 5 min]; a received_at of its own has only a recorded day.
create or replace function event_time(client_at timestamptz, received_at timestamptz) returns timestamptz language sql stable
return least(greatest(coalesce(client_at, received_at, now()), coalesce(received_at, now()) - interval '24 hours'),
  coalesce(received_at, now()) + interval '5 minutes');

-- Finds sessions by their places: a plan made while the table was empty would find them any other way by walking all
-- sessions of the site. The visitor's lock keeps a row where it was found.
create or replace function grow_sessions(places tid[], ends timestamptz[]) returns void language plpgsql
set enable_indexscan = off set enable_bitmapscan = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
begin
  update sessions s set last_activity_at = grown.last_activity_at
  from unnest(places, ends) as grown (place, last_activity_at) where s.ctid = grown.place;
end $$;

-- So many events of one visitor on one day are nobody's visit: one each 43 s, day and night. What comes beyond is kept and
-- counted as a bot's, and cuts no sessions: else one browser makes a cut that everybody waits for. A verdict takes it back.
create or replace function flood_after() returns integer language sql immutable return 2000;

-- What a visitor's event is taken for: what it says of itself, or the verdict that stands; a prefetch stays one.
create or replace function judged_reason(own text, verdict text) returns text language sql immutable
return case when verdict is null or own in ('prefetch', 'spam') then own when verdict = 'flood' then coalesce(own, 'flood')
  when verdict <> 'human' then verdict end;

-- Which events of a batch have another visitor, or another time, than they came with:
-- a visit goes on past midnight (yesterday's visitor of the same network and browser, active until just now), and what a
-- server or a capture tells of a visit under way belongs into it, however far that browser's clock is off: never before
-- its first touch, never after a silence that was none.
create or replace function placed_elsewhere(arrived arrived_event[], inactivity interval)
returns table (n integer, by_visitor uuid, at timestamptz) language sql stable
set enable_seqscan = off set enable_mergejoin = off set jit = off as $$
  with told as materialized (
    select ordinality::integer as n, site_id, visitor_id, day_before, follows, event_time(client_at, received_at) as at
    from unnest(arrived) with ordinality
  ), links as (
    -- one row of yesterday's visitor or of who may be that one still; in a chain of no long silence whoever follows
    -- yesterday's visitor goes on as that one, however many of its events came together
    select b.*, count(*) filter (where b.at > b.before + inactivity) over (partition by b.site_id, b.chain order by b.at, b.n) as link
    from (
      select t.*, coalesce(t.day_before, t.visitor_id) as chain,
        lag(t.at) over (partition by t.site_id, coalesce(t.day_before, t.visitor_id) order by t.at, t.n) as before
      from told t
    ) b
  ), goes_on as (
    select l.n, bool_or(l.day_before is null or exists (
        select from visitors v where v.site_id = l.site_id and v.visitor_id = l.day_before and v.last_seen_at >= l.at - inactivity
      )) over (partition by l.site_id, l.chain, l.link order by l.at, l.n) as is_yesterdays
    from links l where exists (select from told t where t.day_before is not null)
  ), owned as materialized (
    select t.n, t.site_id, t.follows, t.at, t.visitor_id as was,
      case when t.day_before is not null and g.is_yesterdays then t.day_before else t.visitor_id end as visitor_id
    from told t left join goes_on g using (n) where t.day_before is not null or t.follows
  ), moved as (
    select o.n, case when o.at <= visit.started_at then visit.last_activity_at + interval '1 ms'
      else visit.last_activity_at + greatest(o.at - visit.heard_at, interval '1 ms') end as at
    from owned o
    cross join lateral (
      select s.started_at, s.last_activity_at, (select max(e.received_at) from events e where e.site_id = o.site_id
        and e.visitor_id = o.visitor_id and e.occurred_at >= s.started_at and e.session_id = s.session_id) as heard_at
      from sessions s where s.site_id = o.site_id and s.visitor_id = o.visitor_id and not s.is_bot
      order by s.started_at desc limit 1
    ) visit
    where o.follows and visit.heard_at >= o.at - inactivity and o.at > visit.started_at - inactivity
      and (o.at <= visit.started_at or o.at > visit.last_activity_at + inactivity)
  )
  select o.n, o.visitor_id, m.at from owned o left join moved m using (n)
  where m.n is not null or o.visitor_id <> o.was
$$;

create or replace function ingest_events(arrived arrived_event[], repeated json, inactivity interval, own_sites text)
returns table (arrived_id uuid, event_id uuid, visitor_id uuid, session_id uuid, duplicate boolean)
language plpgsql
-- A plan is made once, often while the tables are still empty, and must hold when they are large.
set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  nil constant uuid := '00000000-0000-0000-0000-000000000000'; -- until recut_sessions has placed a late event
  has_bodies boolean;
  has_elsewhere boolean;
  fresh uuid[];        -- arrived ids that are stored now
  all_fresh boolean;
  judged_visitors uuid[]; -- whose verdict stands, and which; 'flood' for who sent too many today
  judged_verdicts text[];
  event record;
  -- the visit in which the loop stands
  site uuid;
  visitor uuid;
  session uuid;
  active_at timestamptz;
  campaign jsonb;
  came_from text;
  of_bots boolean;
  -- what the loop finds, in lists that belong together
  placed_ids uuid[] := '{}'; placed_visitors uuid[] := '{}'; placed_sessions uuid[] := '{}';
  new_sessions uuid[] := '{}'; new_first_events uuid[] := '{}'; new_ends timestamptz[] := '{}';
  new_sources text[] := '{}'; new_carried boolean[] := '{}';
  grown_rows tid[] := '{}'; grown_ends timestamptz[] := '{}';
  -- whose visits of the site in which the loop stands are to be counted again, and between when
  touched uuid[] := '{}'; touched_since timestamptz := 'infinity'; touched_until timestamptz := '-infinity';
  late_visitor record;
begin
  perform set_config('marketing.sites', own_sites, true);

  select bool_or(body_key is not null), bool_or(day_before is not null or follows) from unnest(arrived) into has_bodies, has_elsewhere;
  if has_elsewhere then
    for event in select * from placed_elsewhere(arrived, inactivity) loop
      arrived[event.n].visitor_id := event.by_visitor;
      if event.at is not null then
        arrived[event.n].client_at := event.at;
      end if;
    end loop;
  end if;

  -- Sent without id and time: the same body again within 30 s takes the id of the one stored before.
  if has_bodies then
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
      event_time(a.client_at, a.received_at) as occurred_at, a.ip_hash, a.ua_hash, a.privacy_signal, a.bot_reason, a.is_day_visitor,
      a.received_at
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
    insert into visitors as v (site_id, visitor_id, first_seen_at, last_seen_at, first_human_at, is_day_visitor, ip_hash, ua_hash,
      privacy_signal, events_on, events_that_day)
    select site_id, visitor_id, min(occurred_at), max(occurred_at), min(occurred_at) filter (where bot_reason is null),
      coalesce(bool_or(is_day_visitor), false), any_value(ip_hash), any_value(ua_hash), bool_or(privacy_signal),
      (coalesce(max(received_at), now()) at time zone 'UTC')::date, count(*)
    from kept group by site_id, visitor_id order by site_id, visitor_id
    on conflict (site_id, visitor_id) do update
    set first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
      last_seen_at = greatest(v.last_seen_at, excluded.last_seen_at),
      first_human_at = case when v.bot_verdict is null and v.events_on = excluded.events_on and v.events_that_day >= flood_after() then v.first_human_at
        when v.bot_verdict is null then least(v.first_human_at, excluded.first_human_at)
        when v.bot_verdict = 'human' then least(v.first_human_at, excluded.first_seen_at) end,
      ip_hash = case when not v.is_day_visitor then excluded.ip_hash end, ua_hash = case when not v.is_day_visitor then excluded.ua_hash end,
      privacy_signal = excluded.privacy_signal, events_on = excluded.events_on,
      events_that_day = excluded.events_that_day + case when v.events_on = excluded.events_on then v.events_that_day else 0 end
    returning v.visitor_id,
      coalesce(v.bot_verdict, case when old.events_on = v.events_on and old.events_that_day >= flood_after() then 'flood' end) as verdict
  )
  select (select array_agg(arrived_id) from kept), array_agg(visitor_id), array_agg(verdict)
  from seen where verdict is not null into fresh, judged_visitors, judged_verdicts;
  all_fresh := coalesce(cardinality(fresh), 0) = cardinality(arrived);

  if fresh is not null then
    -- The visitors are locked now, so nobody else cuts their sessions; this statement sees the latest ones.
    for event in
      select a.site_id, a.visitor_id, a.is_bot, a.is_flood, a.event_id, a.occurred_at, a.utm, a.source, latest.row_at, latest.session_id,
        latest.started_at, latest.last_activity_at, latest.utm as session_utm, latest.source as session_source,
        -- Earlier than the session we know, or a campaign inside it: recut_sessions decides with all rows before it. In the
        -- same millisecond the ids decide.
        bool_or(coalesce(a.occurred_at <= latest.started_at
            or (a.occurred_at <= latest.last_activity_at and a.utm <> coalesce(latest.utm, '{}')), false) and not a.is_flood)
          over (partition by a.site_id, a.visitor_id, a.is_bot) as is_late
      from (
        select site_id, visitor_id, event_id, utm, source, event_time(client_at, received_at) as occurred_at,
          case when judged_visitors is null then bot_reason
            else judged_reason(bot_reason, judged_verdicts[array_position(judged_visitors, visitor_id)]) end is not null as is_bot,
          coalesce(judged_verdicts[array_position(judged_visitors, visitor_id)] = 'flood', false) as is_flood
        from unnest(arrived) where all_fresh or event_id = any (fresh)
      ) a
      left join lateral (
        select s.ctid as row_at, s.* from sessions s where s.site_id = a.site_id and s.visitor_id = a.visitor_id and s.is_bot = a.is_bot
        order by s.started_at desc limit 1
      ) latest on true
      order by a.site_id, a.visitor_id, a.is_bot, a.occurred_at, a.event_id
    loop
      if event.site_id <> site then
        insert into dirty_visits (site_id, since, until, visitor_ids) values (site, touched_since, touched_until, touched);
        touched := '{}';
        touched_since := 'infinity';
        touched_until := '-infinity';
      end if;
      if event.visitor_id is distinct from visitor or event.site_id <> site or event.is_bot <> of_bots then
        touched := array_append(touched, event.visitor_id);
        site := event.site_id;
        visitor := event.visitor_id;
        of_bots := event.is_bot;
        came_from := event.session_source;
        session := event.session_id;
        active_at := event.last_activity_at;
        campaign := event.session_utm;
      end if;
      if not event.is_late then
        if session is null or (not event.is_flood
            and (event.occurred_at - active_at > inactivity or (event.utm is not null and event.utm is distinct from campaign))) then
          session := uuidv7();
          campaign := event.utm; -- a session has the campaign of its first event, or none
          new_sessions := array_append(new_sessions, session);
          new_first_events := array_append(new_first_events, event.event_id);
          new_ends := array_append(new_ends, event.occurred_at);
          new_carried := array_append(new_carried, event.source in ('internal', 'carried') and came_from is not null);
          if event.source not in ('internal', 'carried') or came_from is null then
            came_from := case when event.source in ('internal', 'carried') then 'direct' else event.source end;
          end if;
          new_sources := array_append(new_sources, came_from);
        elsif session is distinct from event.session_id then
          new_ends[cardinality(new_ends)] := event.occurred_at;
        else
          if event.occurred_at > active_at and event.row_at = grown_rows[cardinality(grown_rows)] then
            grown_ends[cardinality(grown_ends)] := event.occurred_at;
          elsif event.occurred_at > active_at then
            grown_rows := array_append(grown_rows, event.row_at);
            grown_ends := array_append(grown_ends, event.occurred_at);
          end if;
          if event.started_at < touched_since then
            touched_since := event.started_at;
          end if;
        end if;
        active_at := greatest(active_at, event.occurred_at);
      end if;
      placed_ids := array_append(placed_ids, event.event_id);
      placed_visitors := array_append(placed_visitors, event.visitor_id);
      placed_sessions := array_append(placed_sessions, case when event.is_late then nil else session end);
      if event.occurred_at < touched_since then
        touched_since := event.occurred_at;
      end if;
      if event.occurred_at > touched_until then
        touched_until := event.occurred_at;
      end if;
    end loop;
    insert into dirty_visits (site_id, since, until, visitor_ids) values (site, touched_since, touched_until, touched);

    if cardinality(new_sessions) > 0 then
      insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, utm,
        device_type, browser, os, country, is_bot, is_carried)
      select a.site_id, n.session_id, a.visitor_id, event_time(a.client_at, a.received_at), n.last_activity_at, a.path, a.referrer,
        n.source, a.utm, a.device_type, a.browser, a.os, a.country,
        judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) is not null, n.is_carried
      from unnest(new_sessions, new_first_events, new_ends, new_sources, new_carried)
        as n (session_id, event_id, last_activity_at, source, is_carried)
      join unnest(arrived) a using (event_id);
    end if;
    if cardinality(grown_rows) > 0 then
      perform grow_sessions(grown_rows, grown_ends);
    end if;
    insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source,
      utm, bot_reason, clamped, privacy_signal, is_conversion, engaged_ms, scroll_percent, fcp_ms, lcp_ms, inp_ms, ttfb_ms,
      cls_score, props, device_type, browser, os, country)
    select a.site_id, a.event_id, a.visitor_id, p.session_id, event_time(a.client_at, a.received_at), coalesce(a.received_at, now()),
      a.event_type, a.path, a.referrer, a.source, a.utm,
      case when judged_visitors is null then a.bot_reason
        else judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) end,
      coalesce(event_time(a.client_at, a.received_at) <> a.client_at, false), a.privacy_signal, a.is_conversion, a.engaged_ms,
      a.scroll_percent, a.fcp_ms, a.lcp_ms, a.inp_ms, a.ttfb_ms, a.cls_score, a.props,
      a.device_type, a.browser, a.os, a.country
    from unnest(placed_ids, placed_sessions) as p (event_id, session_id) join unnest(arrived) a using (event_id);

    if nil = any (placed_sessions) then
      for late_visitor in
        select a.site_id, a.visitor_id,
          judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) is not null as is_bot,
          array_agg(event_time(a.client_at, a.received_at)::timestamptz(3)) as times
        from unnest(arrived) a
        join unnest(placed_ids, placed_sessions) as p (event_id, session_id) using (event_id)
        where p.session_id = nil
        group by 1, 2, 3 order by 1, 2, 3
      loop
        perform recut_sessions(late_visitor.site_id, late_visitor.visitor_id, late_visitor.is_bot, late_visitor.times, inactivity);
      end loop;
      select array_agg(e.event_id), array_agg(e.visitor_id), array_agg(e.session_id) into placed_ids, placed_visitors, placed_sessions
      from unnest(arrived) a
      cross join lateral (
        select e.* from event_keys k
        join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
        where k.site_id = a.site_id and k.event_id = a.event_id limit 1
      ) e
      where a.event_id = any (fresh);
    end if;

    return query select p.event_id, p.event_id, p.visitor_id, p.session_id, false
      from unnest(placed_ids, placed_visitors, placed_sessions) as p (event_id, visitor_id, session_id);
  end if;

  insert into ingest_ledger as l (site_id, day, outcome, count)
  select site_id, day, outcome, sum(count) from (
    select site_id, (coalesce(received_at, now()) at time zone 'UTC')::date as day, count(*) as received,
      count(*) filter (where all_fresh or event_id = any (fresh)) as accepted
    from unnest(arrived) group by 1, 2
    union all
    select r.site_id, (now() at time zone 'UTC')::date, r.count, 0 from json_to_recordset(repeated) as r (site_id uuid, count bigint)
  ) parts, lateral (values ('received', received), ('accepted', accepted), ('duplicate', received - accepted)) as o (outcome, count)
  group by 1, 2, 3 having sum(count) > 0 order by 1, 2, 3
  on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count;

  if not all_fresh then
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
comment on function ingest_events is 'stores a batch of events; see src/product/events/ingest_events.sql';
