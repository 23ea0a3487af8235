-- Sums of visits: what changed visits counted for is taken out of a day's numbers, what they count for now is put in. With
-- nothing counted before, that is the whole day. A visitor is one for a name however many visits they have: what is
-- compared, before and after, are all visits of that day of each visitor.
--
-- The caller holds the site's lock (7301003), and has read its marks before.

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
    select case when exists (select from often o where o.visitor_id = s.visitor_id) then s.visitor_id end as often_id, s.* from signed s
  ), named as (
    select s.often_id, s.sign, by.kind, by.name, by.detail, s.begun as sessions, (s.begun = 1 and s.landing is not null)::int as entrances,
      s.page_views, s.converted as conversions, 0 as events, 0::bigint as engaged_ms
    from marked s cross join lateral (values
      ('entrance', s.landing, ''), ('source', s.source, ''),
      ('campaign', s.campaign, left(concat_ws(' / ', s.utm_source, s.utm_medium), 512)), ('utm_source', s.utm_source, ''),
      ('utm_medium', s.utm_medium, ''), ('utm_term', s.utm_term, ''), ('utm_content', s.utm_content, ''), ('referrer', s.referrer, ''),
      ('device', coalesce(s.device_type, 'unknown'), ''), ('browser', coalesce(s.browser, 'unknown'), ''), ('os', coalesce(s.os, 'unknown'), ''),
      ('country', coalesce(s.country, 'unknown'), '')) as by (kind, name, detail)
    where s.begun is not null and by.name is not null
    union all
    select often_id, sign, 'exit', leaving, '', 1, 0, 0, 0, 0, 0 from marked where begun = 1 and leaving is not null
    union all
    select s.often_id, s.sign, n.kind, n.name, '', (n.kind = 'form')::int, 0, n.page_views, n.conversions, n.events, n.engaged_ms
    from marked s cross join lateral unnest(s.kinds, s.names, s.name_views, s.name_conversions, s.name_events, s.name_engaged_ms)
      as n (kind, name, page_views, conversions, events, engaged_ms)
    where n.kind is not null -- an erased person's names are gone before their day is recomputed
  ), of_visitors as (
    select kind, name, detail,
      case when often_id is null then sum(sign) else (count(*) filter (where sign > 0) > 0)::int - (count(*) filter (where sign < 0) > 0)::int end as visitors,
      sum(sign * sessions) as sessions, sum(sign * entrances) as entrances, sum(sign * page_views) as page_views,
      sum(sign * conversions) as conversions, sum(sign * events) as events, sum(sign * engaged_ms)::bigint as engaged_ms
    from named group by often_id, kind, name, detail
    union all
    -- of a measurement nobody asks whose it was: each counts for one
    select 'vital:' || (array['fcp', 'lcp', 'inp', 'ttfb', 'cls'])[code / 1000], (code % 1000)::text, '', sum(sign), 0, 0, 0, 0, sum(sign), 0
    from signed cross join lateral unnest(vitals) as m (code) group by code
  ), moved as materialized (
    select kind, name, detail, sum(visitors)::bigint as visitors, sum(sessions)::bigint as sessions, sum(entrances)::bigint as entrances,
      sum(page_views)::bigint as page_views, sum(conversions)::bigint as conversions, sum(events)::bigint as events, sum(engaged_ms)::bigint as engaged_ms
    from of_visitors group by 1, 2, 3
    having sum(visitors) <> 0 or sum(sessions) <> 0 or sum(entrances) <> 0 or sum(page_views) <> 0 or sum(conversions) <> 0
      or sum(events) <> 0 or sum(engaged_ms) <> 0
  ), names_summed as (
    insert into open_names as n (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
    select for_site, for_day, m.* from moved m order by kind, name, detail
    on conflict (site_id, day, kind, name, detail) do update
    set visitors = n.visitors + excluded.visitors, sessions = n.sessions + excluded.sessions, entrances = n.entrances + excluded.entrances,
      page_views = n.page_views + excluded.page_views, conversions = n.conversions + excluded.conversions, events = n.events + excluded.events,
      engaged_ms = n.engaged_ms + excluded.engaged_ms
    returning kind, name, detail, visitors
  ), kinds_summed as (
    insert into open_kinds as k (site_id, day, kind, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
    select for_site, for_day, kind, sum(visitors), sum(sessions), sum(entrances), sum(page_views), sum(conversions), sum(events), sum(engaged_ms)
    from moved group by kind order by kind
    on conflict (site_id, day, kind) do update
    set visitors = k.visitors + excluded.visitors, sessions = k.sessions + excluded.sessions, entrances = k.entrances + excluded.entrances,
      page_views = k.page_views + excluded.page_views, conversions = k.conversions + excluded.conversions, events = k.events + excluded.events,
      engaged_ms = k.engaged_ms + excluded.engaged_ms
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
  select v.*, a.visitors, a.humans, a.tellers, n.* from of_visits v, of_all a, of_names n into day_sums;
  humans := coalesce(day_sums.humans, '{}');
  tellers := coalesce(day_sums.tellers, '{}');

  perform forget_names(for_site, for_day, day_sums.gone_kinds, day_sums.gone_names, day_sums.gone_details);
  perform show_names(for_site, for_day, coalesce(day_sums.kinds, '{}'));

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
end $$;

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
      where site_id = for_site and day = for_day and kind like 'prop:%' and events > 0
        and exists (select from unnest(changed) as c (kind) where kind like 'prop:%')
      order by events desc, kind limit 20)
  ) kinds;
  with first as materialized (
    select n.* from unnest(shown) as s (kind)
    cross join lateral (
      select * from open_names n where n.site_id = for_site and n.day = for_day and n.kind = s.kind and n.visitors > 0
      order by sessions desc, page_views desc, events desc, name, detail limit case when s.kind like 'prop:%' then 200 else 1000 end
    ) n
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
