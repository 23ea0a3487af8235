-- Stores one batch of events in one round trip: recognises duplicates, keeps visitors, cuts sessions, counts the ledger.
-- A function, because what follows the lock on the visitors must see what a competing batch has committed meanwhile (read
-- committed gives each statement a new snapshot; the CTEs of a single statement would all share one). Sessions are cut in
-- a loop over the batch in memory: as a chain of seven window steps the same rules cost three times as much.
--
-- Locks are taken in this order everywhere: recent_bodies, event_keys, visitors, sessions, events, ledger; and inside
-- a table in the order of the key. Two batches, or a batch and a capture, may then wait, but never for each other.
--
-- arrived     distinct by event_id and by (site_id, body_key)
-- is_plain    none of them has a body_key or a day_before, or follows: what those ask for is not looked for
-- repeated    JSON array of {site_id, count}: duplicates that were recognised inside the batch already
-- inactivity  silence that ends a session
-- own_sites   the sites of both, for row level security: <uuid>,<uuid>; a row of another site is refused
-- sessions    of each of them, in their order; null: it had been stored before
-- visitors    whose each of them is; null: everybody's own
-- known       JSON array of {n, event_id, visitor_id, session_id}: those that had been stored before, by their place from 1;
--             null: none had
drop function if exists ingest_events(json, json, interval);
drop function if exists grow_sessions(tid[], timestamptz[]);

-- Finds sessions by their places: a plan made while the table was empty would find them any other way by walking all
-- sessions of the site. The visitor's lock keeps a row where it was found. Its caller's plans are generic and never sequential.
create or replace function extend_sessions(places tid[], ends timestamptz[]) returns integer language plpgsql
set enable_indexscan = off set enable_bitmapscan = off as $$
begin
  update sessions s set last_activity_at = ends[array_position(places, s.ctid)] where s.ctid = any (places);
  return cardinality(places);
end $$;

-- So many events of one visitor on one day are nobody's visit: one each 43 s, day and night. What comes beyond is kept and
-- counted as a bot's, and cuts no sessions: else one browser makes a cut that everybody waits for. A verdict takes it back.
create or replace function flood_after() returns integer language sql immutable return 2000;

-- What a visitor's event is taken for: what it says of itself, or the verdict that stands; a prefetch stays one.
create or replace function judged_reason(own text, verdict text) returns text language sql immutable
return case when verdict is null or own in ('prefetch', 'spam') then own when verdict = 'flood' then coalesce(own, 'flood')
  when verdict <> 'human' then verdict end;

create or replace function store_events(arrived arrived_event[], is_plain boolean, repeated json, inactivity interval, own_sites text,
  out sessions uuid[], out visitors uuid[], out known json)
language plpgsql
-- A plan is made once, often while the tables are still empty, and must hold when they are large.
set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  nil constant uuid := '00000000-0000-0000-0000-000000000000'; -- until recut_sessions has placed a late event
  placed uuid[] := array_fill(null::uuid, array[cardinality(arrived)]); -- the sessions
  known_ids uuid[];    -- by place: under which id the same body is stored
  fresh uuid[];        -- ids that are stored now
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
  new_sessions uuid[] := '{}'; new_places integer[] := '{}'; new_ends timestamptz[] := '{}';
  new_sources text[] := '{}'; new_carried boolean[] := '{}';
  grown_rows tid[] := '{}'; grown_ends timestamptz[] := '{}'; grown integer;
  -- whose visits of the site in which the loop stands are to be counted again, and between when
  touched uuid[] := '{}'; touched_since timestamptz := 'infinity'; touched_until timestamptz := '-infinity';
  counted_sites uuid[] := '{}'; counts bigint[] := '{}'; -- for the ledger
  has_days boolean := false; -- some arrived on a recorded day
  has_late boolean := false;
  late_visitors uuid[] := '{}';
begin
  own_sites := set_config('marketing.sites', own_sites, true);

  if not is_plain then
    for event in select * from placed_elsewhere(arrived, inactivity) loop
      arrived[event.n].visitor_id := event.by_visitor;
      if event.at is not null then
        arrived[event.n].client_at := event.at;
      end if;
    end loop;
    visitors := array(select visitor_id from unnest(arrived));
    -- Sent without id and time: the same body again within 30 s takes the id of the one stored before.
    insert into recent_bodies as known (site_id, body_key, event_id, seen_at)
    select a.site_id, a.body_key, a.event_id, now()
    from unnest(arrived) a
    where a.body_key is not null
    order by a.site_id, a.body_key
    on conflict (site_id, body_key) do update
    set event_id = excluded.event_id, seen_at = excluded.seen_at
    where known.seen_at <= excluded.seen_at - interval '30 seconds';
    known_ids := array(
      select (select b.event_id from recent_bodies b where b.site_id = a.site_id and b.body_key = a.body_key)
      from unnest(arrived) with ordinality a order by a.ordinality);
  end if;

  with keyed as (
    insert into event_keys (site_id, event_id, visitor_id, occurred_at)
    select a.site_id, coalesce(known_ids[a.ordinality], a.event_id), a.visitor_id, event_time(a.client_at, a.received_at)
    from unnest(arrived) with ordinality a order by 1, 2
    on conflict do nothing
    returning event_id
  )
  select array_agg(event_id) from keyed into fresh;
  all_fresh := coalesce(cardinality(fresh), 0) = cardinality(arrived);

  if fresh is not null then
    with seen as (
      insert into visitors as v (site_id, visitor_id, first_seen_at, last_seen_at, first_human_at, is_day_visitor, ip_hash, ua_hash,
        privacy_signal, is_linkable, events_on, events_that_day)
      select site_id, visitor_id, min(event_time(client_at, received_at)), max(event_time(client_at, received_at)),
        min(event_time(client_at, received_at)) filter (where bot_reason is null),
        coalesce(bool_or(is_day_visitor), false), any_value(ip_hash), any_value(ua_hash), bool_or(privacy_signal),
        coalesce(bool_or(is_linkable), false),
        (coalesce(max(received_at), now()) at time zone 'UTC')::date, count(*)
      from unnest(arrived) where all_fresh or event_id = any (fresh) group by site_id, visitor_id order by site_id, visitor_id
      on conflict (site_id, visitor_id) do update
      set first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(v.last_seen_at, excluded.last_seen_at),
        first_human_at = case when v.bot_verdict is null and v.events_on = excluded.events_on and v.events_that_day >= flood_after() then v.first_human_at
          when v.bot_verdict is null then least(v.first_human_at, excluded.first_human_at)
          when v.bot_verdict = 'human' then least(v.first_human_at, excluded.first_seen_at) end,
        ip_hash = case when not v.is_day_visitor then excluded.ip_hash end, ua_hash = case when not v.is_day_visitor then excluded.ua_hash end,
        privacy_signal = excluded.privacy_signal, is_linkable = v.is_linkable or excluded.is_linkable, events_on = excluded.events_on,
        events_that_day = excluded.events_that_day + case when v.events_on = excluded.events_on then v.events_that_day else 0 end
      returning v.visitor_id,
        coalesce(v.bot_verdict, case when old.events_on = v.events_on and old.events_that_day >= flood_after() then 'flood' end) as verdict
    )
    select array_agg(visitor_id), array_agg(verdict) from seen where verdict is not null into judged_visitors, judged_verdicts;

    -- The visitors are locked now, so nobody else cuts their sessions; this statement sees the latest ones.
    for event in
      select a.n, a.site_id, a.visitor_id, a.is_bot, a.is_flood, a.occurred_at, a.received_at, a.utm, a.source, latest.row_at, latest.session_id,
        latest.started_at, latest.last_activity_at, latest.utm as session_utm, latest.source as session_source,
        -- Earlier than the session we know, or a campaign inside it: recut_sessions decides with all rows before it. In the
        -- same millisecond the ids decide.
        bool_or(coalesce(a.occurred_at <= latest.started_at
            or (a.occurred_at <= latest.last_activity_at and a.utm <> coalesce(latest.utm, '{}')), false) and not a.is_flood)
          over (partition by a.site_id, a.visitor_id, a.is_bot) as is_late
      from (
        select ordinality::integer as n, site_id, visitor_id, event_id, received_at, utm, source, event_time(client_at, received_at) as occurred_at,
          case when judged_visitors is null then bot_reason
            else judged_reason(bot_reason, judged_verdicts[array_position(judged_visitors, visitor_id)]) end is not null as is_bot,
          coalesce(judged_verdicts[array_position(judged_visitors, visitor_id)] = 'flood', false) as is_flood
        from unnest(arrived) with ordinality where all_fresh or event_id = any (fresh)
      ) a
      left join lateral (
        select s.ctid as row_at, s.* from sessions s where s.site_id = a.site_id and s.visitor_id = a.visitor_id and s.is_bot = a.is_bot
        order by s.started_at desc limit 1
      ) latest on true
      order by a.site_id, a.visitor_id, a.is_bot, a.occurred_at, a.event_id
    loop
      if event.site_id is distinct from site then
        counted_sites := array_append(counted_sites, event.site_id);
        counts := array_append(counts, 0::bigint);
      end if;
      counts[cardinality(counts)] := counts[cardinality(counts)] + 1;
      has_days := has_days or event.received_at is not null;
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
      if event.is_late then
        placed[event.n] := nil;
        has_late := true;
      else
        if session is null or (not event.is_flood
            and (event.occurred_at - active_at > inactivity or (event.utm is not null and event.utm is distinct from campaign))) then
          session := uuidv7();
          campaign := event.utm; -- a session has the campaign of its first event, or none
          new_sessions := array_append(new_sessions, session);
          new_places := array_append(new_places, event.n);
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
        placed[event.n] := session;
      end if;
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
        device_type, browser, os, country, is_bot, is_carried, privacy_signal)
      select a.site_id, o.session_id, a.visitor_id, event_time(a.client_at, a.received_at), o.last_activity_at, a.path, a.referrer,
        o.source, a.utm, a.device_type, a.browser, a.os, a.country,
        judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) is not null, o.is_carried, a.privacy_signal
      from unnest(new_sessions, new_places, new_ends, new_sources, new_carried)
        as o (session_id, n, last_activity_at, source, is_carried)
      cross join lateral (select (arrived[o.n]).*) a;
    end if;
    if cardinality(grown_rows) > 0 then
      grown := extend_sessions(grown_rows, grown_ends);
    end if;
    insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source,
      utm, bot_reason, clamped, privacy_signal, is_conversion, engaged_ms, scroll_percent, fcp_ms, lcp_ms, inp_ms, ttfb_ms,
      cls_score, props, device_type, browser, os, country)
    select a.site_id, a.event_id, a.visitor_id, placed[a.ordinality], event_time(a.client_at, a.received_at), coalesce(a.received_at, now()),
      a.event_type, a.path, a.referrer, a.source, a.utm,
      case when judged_visitors is null then a.bot_reason
        else judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) end,
      coalesce(event_time(a.client_at, a.received_at) <> a.client_at, false), a.privacy_signal, a.is_conversion, a.engaged_ms,
      a.scroll_percent, a.fcp_ms, a.lcp_ms, a.inp_ms, a.ttfb_ms, a.cls_score, a.props,
      a.device_type, a.browser, a.os, a.country
    from unnest(arrived) with ordinality a where all_fresh or placed[a.ordinality] is not null;

    if has_late then
      for event in
        select a.site_id, a.visitor_id,
          judged_reason(a.bot_reason, judged_verdicts[array_position(judged_visitors, a.visitor_id)]) is not null as is_bot,
          array_agg(event_time(a.client_at, a.received_at)::timestamptz(3)) as times
        from unnest(arrived) with ordinality a
        where placed[a.ordinality] = nil
        group by 1, 2, 3 order by 1, 2, 3
      loop
        late_visitors := array_append(late_visitors, event.visitor_id);
        perform recut_sessions(event.site_id, event.visitor_id, event.is_bot, event.times, inactivity);
      end loop;
      -- their other events of this batch may have another session now, too; "offset 0": one by one, by index, whatever the plan
      -- was made for (in an empty table it read all of the day's events for each)
      for event in
        select a.ordinality::integer as n, e.session_id from unnest(arrived) with ordinality a
        cross join lateral (
          select session_id from events e where e.site_id = a.site_id and e.visitor_id = a.visitor_id
            and e.occurred_at = event_time(a.client_at, a.received_at)::timestamptz(3) and e.event_id = a.event_id offset 0
        ) e
        where a.visitor_id = any (late_visitors) and placed[a.ordinality] is not null
      loop
        placed[event.n] := event.session_id;
      end loop;
    end if;
  end if;

  if all_fresh and not has_days and repeated::text = '[]' then
    insert into ingest_ledger as l (site_id, day, outcome, count)
    select c.site_id, (now() at time zone 'UTC')::date, o.outcome, c.count
    from unnest(counted_sites, counts) as c (site_id, count) cross join unnest('{accepted,received}'::text[]) as o (outcome)
    on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count;
  else
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
  end if;

  if not all_fresh then
    -- The answer to a duplicate is the first one's; its session is unknown once the raw row was purged.
    known := (
      select json_agg(json_build_object('n', a.n, 'event_id', first.event_id, 'visitor_id', first.visitor_id, 'session_id', stored.session_id))
      from (
        -- a coalesce() beside row level security is compared with all keys of the site: each "offset 0" keeps it out of there
        select ordinality as n, site_id, coalesce(known_ids[ordinality], event_id) as event_id
        from unnest(arrived) with ordinality where placed[ordinality] is null offset 0
      ) a
      cross join lateral (
        select k.* from event_keys k where k.site_id = a.site_id and k.event_id = a.event_id offset 0
      ) first
      left join lateral (
        select e.session_id from events e where e.site_id = first.site_id and e.visitor_id = first.visitor_id
          and e.occurred_at = first.occurred_at and e.event_id = first.event_id offset 0
      ) stored on true
    );
  end if;
  sessions := placed;
end $$;
comment on function store_events is 'stores a batch of events; see src/product/events/ingest_events.sql';

-- The same, a row an event: its id, the id it is stored under, and whether it had been stored before.
create or replace function ingest_events(arrived arrived_event[], repeated json, inactivity interval, own_sites text)
returns table (arrived_id uuid, event_id uuid, visitor_id uuid, session_id uuid, duplicate boolean) language sql as $$
  select a.event_id, coalesce(k.event_id, a.event_id), coalesce(k.visitor_id, stored.visitors[a.ordinality], a.visitor_id),
    coalesce(k.session_id, stored.sessions[a.ordinality]), k.n is not null
  from store_events(arrived, (select bool_and(body_key is null and day_before is null and follows is not true) from unnest(arrived)),
    repeated, inactivity, own_sites) stored
  cross join unnest(arrived) with ordinality a
  left join json_to_recordset(stored.known) as k (n bigint, event_id uuid, visitor_id uuid, session_id uuid) on k.n = a.ordinality
$$;
comment on function ingest_events is 'stores a batch of events and tells of each; see src/product/events/ingest_events.sql';
