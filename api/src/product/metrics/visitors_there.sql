-- Who was there on a day, and when before; what browsers told that makes conversions; whose touches moved. The caller holds
-- the site's lock (7301003).

-- A visitor who appears on, or vanishes from, this day changes what came before their next day, and so both days' returns.
--
-- wanted  whom it is about; null: everyone
-- humans  who of them was there
create or replace function count_returns(for_site uuid, for_day date, wanted uuid[], humans uuid[]) returns void
language plpgsql set jit = off set enable_nestloop = on set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  gone uuid[];
  gone_before date[];
  come uuid[];
  come_next date[];
  moved record;
  -- changes of visitor_returns, in lists that belong together
  days date[] := '{}'; befores date[] := '{}'; ones integer[] := '{}'; day_visitors integer[] := '{}';
begin
  with vanished as (
    delete from visitor_days d where d.ctid = any (array(
      select k.place from (
        select w.visitor_id from unnest(wanted) as w (visitor_id) except select h.visitor_id from unnest(humans) as h (visitor_id)
      ) absent
      cross join lateral (
        select k.ctid as place from visitor_days k where k.site_id = for_site and k.day = for_day and k.visitor_id = absent.visitor_id offset 0
      ) k
      union all
      select k.ctid from visitor_days k where wanted is null and k.site_id = for_site and k.day = for_day
        and k.visitor_id not in (select h.visitor_id from unnest(humans) as h (visitor_id))
    ))
    returning d.visitor_id, d.previous_day, d.is_day_visitor
  )
  select array_agg(visitor_id), array_agg(previous_day), days || array_agg(for_day), befores || array_agg(previous_day),
    ones || array_agg(-1), day_visitors || array_agg(-is_day_visitor::int)
  into gone, gone_before, days, befores, ones, day_visitors from vanished;

  with known as materialized (
    select visitor_id from visitor_days where wanted is null and site_id = for_site and day = for_day
    union all
    select k.visitor_id from unnest(wanted) as w (visitor_id)
    cross join lateral (
      select visitor_id from visitor_days k where k.site_id = for_site and k.day = for_day and k.visitor_id = w.visitor_id offset 0
    ) k
  ), appeared as materialized (
    select t.visitor_id, after.day as next_day, after.previous_day as next_previous,
      (select max(b.day) from visitor_days b where b.site_id = for_site and b.visitor_id = t.visitor_id and b.day < for_day) as before,
      coalesce((select v.is_day_visitor from visitors v where v.site_id = for_site and v.visitor_id = t.visitor_id), false) as is_day_visitor
    from unnest(humans) as t (visitor_id)
    left join lateral (
      select day, previous_day from visitor_days n
      where n.site_id = for_site and n.visitor_id = t.visitor_id and n.day > for_day
        -- asked once: mostly it is today that is counted
        and (select exists (select from visitor_days l where l.site_id = for_site and l.day > for_day)) order by n.day limit 1
    ) after on true
    where t.visitor_id not in (select visitor_id from known)
  ), added as (
    insert into visitor_days (site_id, day, visitor_id, previous_day, is_day_visitor)
    -- the row before may be purged already; the next day's row still knows it
    -- ordered, so that all are looked up before the first is added: else each look-up walks past those just added
    select for_site, for_day, visitor_id, coalesce(before, nullif(next_previous, for_day)), is_day_visitor from appeared order by visitor_id
    returning previous_day, is_day_visitor
  )
  select c.ids, c.nexts, days || a.on_day, befores || a.after_day, ones || a.each_one, day_visitors || a.each_day_visitor
  into come, come_next, days, befores, ones, day_visitors
  from (select array_agg(visitor_id) as ids, array_agg(next_day) as nexts from appeared where next_day is not null) c,
    (select array_agg(for_day) as on_day, array_agg(previous_day) as after_day, array_agg(1) as each_one,
      array_agg(is_day_visitor::int) as each_day_visitor from added) a;

  -- One statement each, from lists: an update that reads what another part of it deletes is refused beside an erasure.
  for moved in
    update visitor_days n set previous_day = change.previous_day
    from (
      select visitor_id, next_day, for_day as previous_day from unnest(come, come_next) as c (visitor_id, next_day)
      union all
      select v.visitor_id, after.day, v.previous_day from unnest(gone, gone_before) as v (visitor_id, previous_day)
      cross join lateral (
        select day from visitor_days n where n.site_id = for_site and n.visitor_id = v.visitor_id and n.day > for_day order by n.day limit 1
      ) after
    ) change
    where n.site_id = for_site and n.visitor_id = change.visitor_id and n.day = change.next_day
    returning n.day, old.previous_day as was, new.previous_day as now_is, n.is_day_visitor::int as is_day_visitor
  loop
    days := days || array[moved.day, moved.day];
    befores := befores || array[moved.was, moved.now_is];
    ones := ones || array[-1, 1];
    day_visitors := day_visitors || array[-moved.is_day_visitor, moved.is_day_visitor];
  end loop;

  if wanted is null then
    delete from visitor_returns where site_id = for_site and day = for_day;
    insert into visitor_returns (site_id, day, previous_day, visitors, day_visitors)
    select site_id, day, previous_day, count(*), count(*) filter (where is_day_visitor) from visitor_days
    where site_id = for_site and day = for_day group by 1, 2, 3 order by 1, 2, 3;
  end if;
  insert into visitor_returns as r (site_id, day, previous_day, visitors, day_visitors)
  select for_site, day, before, sum(one), sum(day_visitor) from unnest(days, befores, ones, day_visitors) as c (day, before, one, day_visitor)
  where wanted is not null or day <> for_day group by 2, 3 having sum(one) <> 0 or sum(day_visitor) <> 0 order by 2, 3
  on conflict (site_id, day, previous_day) do update
  set visitors = r.visitors + excluded.visitors, day_visitors = r.day_visitors + excluded.day_visitors;
  delete from visitor_returns where site_id = for_site and day = any (days) and visitors = 0;
end $$;
comment on function count_returns is 'who was there on a day, and when before; see src/product/metrics/visitors_there.sql';

-- As many conversions of a kind may one browser tell of on a day, and all that are nobody's of a site together. What comes
-- beyond is an event like any other, and no conversion.
create or replace function told_at_most() returns integer language sql immutable return 100;
create or replace function told_by_nobody_at_most() returns integer language sql immutable return 5000;

-- What browsers themselves told of signups, activations and verifications is a conversion each.
-- tellers  who told of one on this day
create or replace function count_outcomes(for_site uuid, starts timestamptz, ends timestamptz, wanted uuid[], tellers uuid[]) returns void
language plpgsql set jit = off set enable_nestloop = on set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  is_full boolean;
begin
  with said as materialized (
    select e.event_id, e.event_type as kind, e.visitor_id, e.occurred_at, e.privacy_signal,
      row_number() over (partition by e.visitor_id, e.event_type order by e.occurred_at, e.event_id) as nth
    from unnest(tellers) as t (visitor_id)
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = t.visitor_id and e.occurred_at >= starts and e.occurred_at < ends offset 0
    ) e
    where e.bot_reason is null and e.event_type in ('signup', 'activation', 'email_verify')
  ), told as materialized (
    select event_id::text as conversion_id, s.* from said s where nth <= told_at_most()
      or exists (select from opt_ins o where o.site_id = for_site and o.opt_in_id = s.event_id)
  ), known as materialized (
    select conversion_id from conversions c
    where wanted is null and c.site_id = for_site and c.origin = 'browser' and c.occurred_at >= starts and c.occurred_at < ends
    union all
    select c.conversion_id from unnest(wanted) as w (visitor_id)
    cross join lateral (
      select * from conversions c where c.site_id = for_site and c.visitor_id = w.visitor_id and c.origin = 'browser'
        and c.occurred_at >= starts and c.occurred_at < ends offset 0
    ) c
  ), untold as (
    -- not all and then again: each change marks a lead
    delete from conversions c where c.site_id = for_site and c.origin = 'browser'
      and c.conversion_id in (select conversion_id from known except select conversion_id from told)
    returning c.conversion_id
  ), room as materialized (
    select told_by_nobody_at_most() - count(*) + (select count(*) from untold) as rows from (
      select from conversions c where exists (select from told) and c.site_id = for_site and c.occurred_at >= starts and c.occurred_at < ends
        and c.origin = 'browser' limit told_by_nobody_at_most()
    ) there
  ), fresh as materialized (
    -- somebody's are kept whatever the others send: a lead's browser's, and the button in a mail
    select t.conversion_id, t.occurred_at, t.event_id,
      exists (select from lead_identities i where i.site_id = for_site and i.visitor_id = t.visitor_id)
        or exists (select from opt_ins o where o.site_id = for_site and o.opt_in_id = t.event_id) as is_somebodys
    from told t where not exists (select from known k where k.conversion_id = t.conversion_id)
  ), left_out as materialized (
    select conversion_id from (
      select conversion_id, row_number() over (order by occurred_at, event_id) as nth from fresh where not is_somebodys
    ) nobodys where nth > (select rows from room)
  ), stored as (
    insert into conversions as c (site_id, conversion_id, kind, origin, visitor_id, occurred_at, privacy_signal)
    select for_site, conversion_id, kind, 'browser', visitor_id, occurred_at, privacy_signal from told t
    where not exists (select from left_out l where l.conversion_id = t.conversion_id)
    on conflict (site_id, origin, conversion_id) do update
    set kind = excluded.kind, visitor_id = excluded.visitor_id, occurred_at = excluded.occurred_at, privacy_signal = excluded.privacy_signal
    where (c.kind, c.visitor_id, c.occurred_at, c.privacy_signal) is distinct from
      (excluded.kind, excluded.visitor_id, excluded.occurred_at, excluded.privacy_signal)
  )
  select exists (select from left_out) or (select count(*) from said) > (select count(*) from told) into is_full;
  if is_full then
    perform fill_day(for_site, site_day(for_site, starts), 'conversions');
  end if;
end $$;
comment on function count_outcomes is 'browsers'' own conversions of a day; see src/product/metrics/visitors_there.sql';

-- The day was sent more of this than is kept apart.
create or replace function fill_day(for_site uuid, for_day date, what text) returns void language sql as $$
  insert into full_days (site_id, day, what) values (for_site, for_day, what) on conflict do nothing
$$;
