-- When an event happened, and whose it is, where a batch does not say so plainly (ingest_events.sql).

-- The client's instant, within [received - 24 h, received + 5 min]; a received_at of its own has only a recorded day.
create or replace function event_time(client_at timestamptz, received_at timestamptz) returns timestamptz language sql stable
return least(greatest(coalesce(client_at, received_at, now()), coalesce(received_at, now()) - interval '24 hours'),
  coalesce(received_at, now()) + interval '5 minutes');

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
