-- Sums of visits: what changed visits counted for is taken out of a day's numbers, what they count for now is put in. With
-- nothing counted before, that is the whole day. A visitor is one for a name however many visits they have: what is
-- compared, before and after, are all visits of that day of each visitor.
--
-- The caller holds the site's lock (7301003), and has read its marks before.

-- Under which of its campaigns: as it says, "source / medium". A row of an index holds 2 704 bytes, and the longest names of
-- both, in letters of four bytes, are more; then the source alone, whole, since half a text may hold half an address.
create or replace function campaign_detail(source text, medium text) returns text language sql immutable
return case when octet_length(left(concat_ws(' / ', source, medium), 512)) <= 1500 then left(concat_ws(' / ', source, medium), 512) else source end;

-- So many names of a kind are kept apart on a day of a site, and so many properties: five times what reports show.
create or replace function names_at_most(kind text) returns integer language sql immutable
return case when kind like 'prop:%' then 1000 else 5000 end;
create or replace function properties_at_most() returns integer language sql immutable return 100;

-- wanted   these visitors alone; null: all, of a day of which nothing is counted yet
-- keeps    whether the facts are kept, so that the day can be counted on
-- answers  who of them was there as a human, and who did what makes a conversion
create or replace function count_visits(for_site uuid, for_day date, starts timestamptz, ends timestamptz, wanted uuid[], keeps boolean,
  out humans uuid[], out tellers uuid[])
language plpgsql set jit = off set work_mem = '8MB' set enable_nestloop = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  carried_on constant bigint := case when wanted is null then 0 else 1 end;
  day_sums record;
begin
  with before as (
    delete from visit_facts f where f.ctid = any (array(
      select k.place from unnest(wanted) as w (visitor_id)
      cross join lateral (
        select k.ctid as place from visit_facts k where k.site_id = for_site and k.day = for_day and k.visitor_id = w.visitor_id offset 0
      ) k
    )) returning f.*
  ), told as materialized (
    select * from gather_visit_facts(for_site, for_day, starts, ends, wanted)
  ), kept as (
    -- after all that was there has gone: the same visits may come again
    insert into visit_facts select t.* from (select count(*) from before) gone cross join told t where keeps
  ), signed as (
    select 1 as sign, t.* from told t union all select -1, b.* from before b
  ), often as materialized (
    -- few come again on a day: who came once is one visitor for each name of the visit
    select visitor_id from signed group by 1 having count(distinct session_id) > 1
  ), marked as (
    select case when s.visitor_id in (select visitor_id from often) then s.visitor_id end as often_id, s.* from signed s
  ), alike as (
    -- most of what visits came by is shared by many of them: who came once is summed before the names are told apart
    select null::uuid as often_id, 1 as sign, sum(sign)::int as times, source, campaign, utm_source, utm_medium, utm_term, utm_content, referrer,
      device_type, browser, os, country, sum(sign * begun)::int as sessions, (sum(sign) filter (where begun = 1 and landing is not null))::int as entrances,
      sum(sign * page_views)::int as page_views, sum(sign * converted)::int as converted
    from marked where often_id is null and begun is not null
    group by source, campaign, utm_source, utm_medium, utm_term, utm_content, referrer, device_type, browser, os, country
    union all
    select often_id, sign, 1, source, campaign, utm_source, utm_medium, utm_term, utm_content, referrer,
      device_type, browser, os, country, begun, (begun = 1 and landing is not null)::int, page_views, converted
    from marked where often_id is not null and begun is not null
  ), named as (
    select a.often_id, a.sign, a.times, by.kind, by.name, by.detail, a.sessions, coalesce(a.entrances, 0) as entrances, a.page_views,
      a.converted::int as conversions, 0 as events, 0::bigint as engaged_ms
    from alike a cross join lateral (values
      ('source', a.source, ''),
      ('campaign', a.campaign, campaign_detail(a.utm_source, a.utm_medium)), ('utm_source', a.utm_source, ''),
      ('utm_medium', a.utm_medium, ''), ('utm_term', a.utm_term, ''), ('utm_content', a.utm_content, ''), ('referrer', a.referrer, ''),
      ('device', coalesce(a.device_type, 'unknown'), ''), ('browser', coalesce(a.browser, 'unknown'), ''), ('os', coalesce(a.os, 'unknown'), ''),
      ('country', coalesce(a.country, 'unknown'), '')) as by (kind, name, detail)
    where by.name is not null
    union all
    select often_id, sign, 1, 'entrance', landing, '', begun, (begun = 1)::int, page_views, converted, 0, 0 from marked
    where begun is not null and landing is not null
    union all
    select often_id, sign, 1, 'exit', leaving, '', 1, 0, 0, 0, 0, 0 from marked where begun = 1 and leaving is not null
    union all
    select s.often_id, s.sign, 1, n.kind, n.name, '', (n.kind = 'form')::int, 0, n.page_views, n.conversions, n.events, n.engaged_ms
    from marked s cross join lateral unnest(s.kinds, s.names, s.name_views, s.name_conversions, s.name_events, s.name_engaged_ms)
      as n (kind, name, page_views, conversions, events, engaged_ms)
    where n.kind is not null -- an erased person's names are gone before their day is recomputed
  ), of_visitors as (
    -- as integers: sums of bigint are kept in numeric
    select kind, name, detail,
      case when often_id is null then sum(sign * times) else (count(*) filter (where sign > 0) > 0)::int - (count(*) filter (where sign < 0) > 0)::int end::int as visitors,
      sum(sign * sessions)::int as sessions, sum(sign * entrances)::int as entrances, sum(sign * page_views)::int as page_views,
      sum(sign * conversions)::int as conversions, sum(sign * events)::int as events, sum(sign * engaged_ms)::bigint as engaged_ms
    from named group by often_id, kind, name, detail
    union all
    -- of a measurement nobody asks whose it was: each counts for one
    select 'vital:' || (array['fcp', 'lcp', 'inp', 'ttfb', 'cls'])[code / 1000], (code % 1000)::text, '', sum(sign)::int, 0, 0, 0, 0, sum(sign)::int, 0
    from signed cross join lateral unnest(vitals) as m (code) group by code
  ), told_apart as materialized (
    select kind, name, detail, sum(visitors)::bigint as visitors, sum(sessions)::bigint as sessions, sum(entrances)::bigint as entrances,
      sum(page_views)::bigint as page_views, sum(conversions)::bigint as conversions, sum(events)::bigint as events, sum(engaged_ms)::bigint as engaged_ms
    from of_visitors group by 1, 2, 3
    having sum(visitors) <> 0 or sum(sessions) <> 0 or sum(entrances) <> 0 or sum(page_views) <> 0 or sum(conversions) <> 0
      or sum(events) <> 0 or sum(engaged_ms) <> 0
  ), of_kind as materialized (
    select t.kind, t.kind like 'prop:%' as is_property, k.kind is null as is_new, coalesce(k.is_full, false) as is_full, coalesce(k.names, 0) as names, t.came, t.often
    from (select kind, count(*) as came, sum(events) as often from told_apart group by kind) t
    left join open_kinds k on k.site_id = for_site and k.day = for_day and k.kind = t.kind
  ), beyond as materialized (
    -- strangers make properties up too: what is one too many has no names at all
    select kind from (
      select kind, row_number() over (order by often desc, kind) as nth from of_kind where is_property and is_new and kind <> 'prop:(other)'
    ) new_ones
    where nth + (select count(*) from open_kinds k where k.site_id = for_site and k.day = for_day and k.kind like 'prop:%' and k.kind <> 'prop:(other)')
      > properties_at_most()
  ), crowded as materialized (
    select * from of_kind k where (is_full or names + came > names_at_most(kind)) and not exists (select from beyond b where b.kind = k.kind)
  ), ranked as materialized (
    -- once a kind is full no name gets a row any more: what was counted under (other) is taken out of (other) again
    select t.*, c.is_full, c.names,
      row_number() over (partition by t.kind, there.is_there order by t.sessions desc, t.page_views desc, t.events desc, t.name, t.detail) as nth, there.is_there
    from told_apart t join crowded c using (kind)
    cross join lateral (
      select exists (select from open_names n where n.site_id = for_site and n.day = for_day and n.kind = t.kind and n.name = t.name and n.detail = t.detail offset 0) as is_there
    ) there
  ), placed as materialized (
    select *, is_there or (not is_full and nth <= names_at_most(kind) - names) as has_row from ranked
  ), moved as materialized (
    select t.* from told_apart t where not exists (select from crowded c where c.kind = t.kind) and not exists (select from beyond b where b.kind = t.kind)
    union all
    select kind, name, detail, sum(visitors), sum(sessions), sum(entrances), sum(page_views), sum(conversions), sum(events), sum(engaged_ms)
    from (
      select kind, case when has_row then name else '(other)' end as name, case when has_row then detail else '' end as detail, visitors, sessions, entrances,
        page_views, conversions, events, engaged_ms from placed
      union all
      select 'prop:(other)', '(other)', '', visitors, sessions, entrances, page_views, conversions, events, engaged_ms
      from told_apart t join beyond b using (kind)
    ) put group by 1, 2, 3
  ), names_summed as (
    insert into open_names as n (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
    select for_site, for_day, m.* from moved m order by kind, name, detail
    on conflict (site_id, day, kind, name, detail) do update
    set visitors = n.visitors + excluded.visitors, sessions = n.sessions + excluded.sessions, entrances = n.entrances + excluded.entrances,
      page_views = n.page_views + excluded.page_views, conversions = n.conversions + excluded.conversions, events = n.events + excluded.events,
      engaged_ms = n.engaged_ms + excluded.engaged_ms
    returning n.kind, n.name, n.detail, n.visitors, old.kind is null as is_new
  ), kinds_summed as (
    insert into open_kinds as k (site_id, day, kind, visitors, sessions, entrances, page_views, conversions, events, engaged_ms, names, is_full)
    select for_site, for_day, m.kind, sum(visitors), sum(sessions), sum(entrances), sum(page_views), sum(conversions), sum(events), sum(engaged_ms),
      coalesce((select count(*) from names_summed n where n.kind = m.kind and n.is_new), 0), exists (select from placed p where p.kind = m.kind and not p.has_row)
    from moved m group by m.kind order by m.kind
    on conflict (site_id, day, kind) do update
    set visitors = k.visitors + excluded.visitors, sessions = k.sessions + excluded.sessions, entrances = k.entrances + excluded.entrances,
      page_views = k.page_views + excluded.page_views, conversions = k.conversions + excluded.conversions, events = k.events + excluded.events,
      engaged_ms = k.engaged_ms + excluded.engaged_ms, names = k.names + excluded.names, is_full = k.is_full or excluded.is_full
  ), of_full as (
    select array_agg(distinct case when kind like 'prop:%' then 'properties' else kind end) as full_kinds
    from (select kind from placed where not has_row union all select kind from beyond) f
  ), of_names as (
    select array_agg(distinct kind) as kinds, array_agg(kind) filter (where visitors = 0) as gone_kinds,
      array_agg(name) filter (where visitors = 0) as gone_names, array_agg(detail) filter (where visitors = 0) as gone_details
    from names_summed
  ), of_each as (
    select visitor_id, bool_or(sign > 0 and human_events > 0) as is_there, bool_or(sign < 0 and human_events > 0) as was_there,
      bool_or(sign > 0 and names && '{signup,activation,email_verify}') as tells
    from signed group by 1
  ), of_all as (
    select sum(is_there::int - was_there::int) as visitors, array_agg(visitor_id) filter (where is_there) as humans,
      array_agg(visitor_id) filter (where tells) as tellers from of_each
  ), of_visits as (
    select sum(sign * human_events) as human_events, sum(sign * page_views) as page_views, sum(sign * email_verifies) as email_verifies,
      sum(sign * clamped_events) as clamped_events, sum(sign * late_events) as late_events,
      sum(sign) filter (where begun = 1) as sessions, sum(sign) filter (where begun = 1 and landing is not null) as entrances,
      sum(sign * converted) filter (where begun = 1) as converted,
      sum(sign * bounced) filter (where begun = 1 and landing is not null) as bounces,
      sum(sign * engaged_ms) filter (where begun = 1 and landing is not null) as engaged_ms
    from signed
  )
  select v.*, a.visitors, a.humans, a.tellers, n.*, f.* from of_visits v, of_all a, of_names n, of_full f into day_sums;
  humans := coalesce(day_sums.humans, '{}');
  tellers := coalesce(day_sums.tellers, '{}');

  perform forget_names(for_site, for_day, day_sums.gone_kinds, day_sums.gone_names, day_sums.gone_details);
  perform show_names(for_site, for_day, coalesce(day_sums.kinds, '{}'));
  perform fill_day(for_site, for_day, kind) from unnest(day_sums.full_kinds) as f (kind);

  insert into daily_metric_rollups as m (site_id, day, human_events, page_views, unique_visitors, sessions, entrances,
    landing_conversions, forms_started, forms_submitted, email_verifies, bot_events, bots_by_reason, clamped_events, late_events,
    sessions_by_source, vitals, bounces, engaged_ms)
  select for_site, for_day, coalesce(day_sums.human_events, 0), coalesce(day_sums.page_views, 0), coalesce(day_sums.visitors, 0),
    coalesce(day_sums.sessions, 0), coalesce(day_sums.entrances, 0), coalesce(day_sums.converted, 0), k.forms_started, k.forms_submitted,
    coalesce(day_sums.email_verifies, 0), k.bot_events,
    coalesce((select jsonb_object_agg(name, events) from open_names where site_id = for_site and day = for_day and kind = 'bots'), '{}'),
    coalesce(day_sums.clamped_events, 0), coalesce(day_sums.late_events, 0),
    coalesce((select jsonb_object_agg(name, sessions) from open_names
      where site_id = for_site and day = for_day and kind = 'source' and sessions > 0), '{}'),
    coalesce((select jsonb_object_agg(vital, counts) from (
      select substr(kind, 7) as vital, jsonb_object_agg(name, events) as counts from open_names
      where site_id = for_site and day = for_day and kind in ('vital:fcp', 'vital:lcp', 'vital:inp', 'vital:ttfb', 'vital:cls') group by 1) vitals), '{}'),
    coalesce(day_sums.bounces, 0), coalesce(day_sums.engaged_ms, 0)
  from (
    select coalesce(sum(sessions) filter (where kind = 'form'), 0) as forms_started, coalesce(sum(conversions) filter (where kind = 'form'), 0) as forms_submitted,
      coalesce(sum(events) filter (where kind = 'bots'), 0) as bot_events
    from open_kinds where site_id = for_site and day = for_day and kind in ('form', 'bots')
  ) k
  on conflict (site_id, day) do update
  set human_events = carried_on * m.human_events + excluded.human_events, page_views = carried_on * m.page_views + excluded.page_views,
    unique_visitors = carried_on * m.unique_visitors + excluded.unique_visitors, sessions = carried_on * m.sessions + excluded.sessions,
    entrances = carried_on * m.entrances + excluded.entrances, landing_conversions = carried_on * m.landing_conversions + excluded.landing_conversions,
    forms_started = excluded.forms_started, forms_submitted = excluded.forms_submitted,
    email_verifies = carried_on * m.email_verifies + excluded.email_verifies, bot_events = excluded.bot_events, bots_by_reason = excluded.bots_by_reason,
    clamped_events = carried_on * m.clamped_events + excluded.clamped_events, late_events = carried_on * m.late_events + excluded.late_events,
    sessions_by_source = excluded.sessions_by_source, vitals = excluded.vitals, bounces = carried_on * m.bounces + excluded.bounces,
    engaged_ms = carried_on * m.engaged_ms + excluded.engaged_ms;
end $$;
comment on function count_visits is 'takes changed visits out of a day''s sums and puts them in again; see src/product/metrics/count_visits.sql';

-- Names that no visitor has any more.
create or replace function forget_names(for_site uuid, for_day date, kinds text[], names text[], details text[]) returns void
language plpgsql set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  delete from open_names n using unnest(kinds, names, details) as g (kind, name, detail)
  where n.site_id = for_site and n.day = for_day and n.kind = g.kind and n.name = g.name and n.detail = g.detail;
  update open_kinds k set names = k.names - g.gone from (select kind, count(*) as gone from unnest(kinds) as g (kind) group by kind) g
  where k.site_id = for_site and k.day = for_day and k.kind = g.kind;
end $$;

-- What the names of a kind that reports read take of a day, in bytes: 256 a name. Nobody's pages are as long as that on average.
create or replace function name_bytes_at_most(kind text) returns integer language sql immutable
return case when kind like 'prop:%' then 51200 else 256000 end;

-- The rows of these kinds that reports read: the first 1 000 names of a kind, of a property 200, and (other) for the rest;
-- of the properties the twenty most frequent, since strangers make them up.
create or replace function show_names(for_site uuid, for_day date, changed text[]) returns void
language plpgsql set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  shown text[];
begin
  select array_agg(kind) into shown from (
    select kind from unnest(changed) as c (kind) where kind not like 'prop:%' and kind not like 'vital:%' and kind <> 'bots'
    union all (
      select kind from open_kinds
      where site_id = for_site and day = for_day and kind like 'prop:%' and kind <> 'prop:(other)' and events > 0
        and exists (select from unnest(changed) as c (kind) where kind like 'prop:%')
      order by events desc, kind limit 20)
  ) kinds;
  with most as materialized (
    select n.* from unnest(shown) as s (kind)
    cross join lateral (
      select * from open_names n where n.site_id = for_site and n.day = for_day and n.kind = s.kind and n.visitors > 0
      order by sessions desc, page_views desc, events desc, name, detail limit case when s.kind like 'prop:%' then 200 else 1000 end
    ) n
  ), long_ones as materialized (
    select kind from most group by kind having sum(octet_length(name) + octet_length(detail)) > name_bytes_at_most(kind)
  ), first as materialized (
    select site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms
    from most where not exists (select from long_ones l where l.kind = most.kind)
    union all
    select site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms from (
      select m.*, sum(octet_length(name) + octet_length(detail)) over (partition by kind order by sessions desc, page_views desc, events desc, name, detail) as bytes
      from most m join long_ones l using (kind)
    ) weighed where bytes <= name_bytes_at_most(kind)
  ), told as (
    insert into full_days (site_id, day, what)
    select distinct for_site, for_day, case when kind like 'prop:%' then 'properties' else kind end from long_ones on conflict do nothing
  ), rest as (
    select k.kind, '(other)' as name, '' as detail, k.visitors - f.visitors as visitors, k.sessions - f.sessions as sessions,
      k.entrances - f.entrances as entrances, k.page_views - f.page_views as page_views, k.conversions - f.conversions as conversions,
      k.events - f.events as events, k.engaged_ms - f.engaged_ms as engaged_ms
    from open_kinds k
    join (select kind, sum(visitors) as visitors, sum(sessions) as sessions, sum(entrances) as entrances, sum(page_views) as page_views,
      sum(conversions) as conversions, sum(events) as events, sum(engaged_ms) as engaged_ms from first group by 1) f using (kind)
    where k.site_id = for_site and k.day = for_day and k.visitors > f.visitors -- each name has a visitor
  ), wanted as materialized (
    -- a stranger's name may be (other) too
    select kind, name, detail, sum(visitors) as visitors, sum(sessions) as sessions, sum(entrances) as entrances, sum(page_views) as page_views,
      sum(conversions) as conversions, sum(events) as events, sum(engaged_ms) as engaged_ms
    from (
      select kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms from first
      union all table rest
    ) each group by 1, 2, 3
  ), unshown as (
    delete from daily_breakdowns b
    where b.site_id = for_site and b.day = for_day
      and (b.kind = any (changed) or b.kind = any (shown) or (b.kind like 'prop:%' and exists (select from unnest(changed) as c (kind) where kind like 'prop:%')))
      and not exists (select from wanted w where w.kind = b.kind and w.name = b.name and w.detail = b.detail)
  )
  insert into daily_breakdowns as b (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
  select for_site, for_day, w.* from wanted w
  on conflict (site_id, day, kind, name, detail) do update
  set visitors = excluded.visitors, sessions = excluded.sessions, entrances = excluded.entrances, page_views = excluded.page_views,
    conversions = excluded.conversions, events = excluded.events, engaged_ms = excluded.engaged_ms
  where b is distinct from excluded;
end $$;
comment on function show_names is 'what reports show of the names of a day; see src/product/metrics/count_visits.sql';
