-- Every number of a row, with its path: column, column.key, column.key.key.
create or replace function numbers_in(counts jsonb) returns table (number text, value float8) language sql immutable as $$
  with recursive part (number, value) as (
    select key, value from jsonb_each(counts)
    union all
    select p.number || '.' || inner_part.key, inner_part.value
    from part p cross join lateral jsonb_each(case jsonb_typeof(p.value) when 'object' then p.value else '{}' end) inner_part
  )
  select number, value::float8 from part where jsonb_typeof(value) = 'number'
$$;

-- The monitor's opinion of one day of a site: everything the rollup derives, counted anew from raw rows by statements that
-- share nothing with roll_up_day but the day's instants. Only what differs is answered.
--
-- number  a column (of a jsonb column: column.key), or "pages rows" … for the rows of a kind
-- raw     what the raw rows say; of rows: how many should be there and are not, or not like this
-- rollup  what the rollup says; of rows: how many are there and should not be, or not like this
create or replace function compare_day(for_site uuid, for_day date)
returns table (number text, raw float8, rollup float8) language plpgsql
set jit = off set enable_nestloop = off set work_mem = '8MB' as $$
#variable_conflict use_column
declare
  starts timestamptz;
  ends timestamptz;
begin
  select r.starts, r.ends into starts, ends from rolled_range(for_site, for_day) r;
  return query
  with today as materialized (
    select *, split_part(path, '?', 1) as page, left(split_part(path, '?', 1), 512) as page_name
    from events where site_id = for_site and occurred_at >= starts and occurred_at < ends
  ), human as materialized (
    select * from today where bot_reason is null
  ), begun as materialized (
    select s.* from (select distinct visitor_id, session_id from human) seen
    cross join lateral (
      select * from sessions s where s.site_id = for_site and s.visitor_id = seen.visitor_id and s.session_id = seen.session_id offset 0
    ) s
    where s.started_at >= starts or not exists (
      select from events e where e.site_id = for_site and e.visitor_id = seen.visitor_id and e.session_id = seen.session_id
        and e.occurred_at >= s.started_at and e.occurred_at < starts and e.bot_reason is null
    )
  ), went_on as materialized (
    -- begun before midnight: counted on that day, save the pages that were viewed on this one
    select s.* from (select distinct visitor_id, session_id from human) seen
    cross join lateral (
      select * from sessions s where s.site_id = for_site and s.visitor_id = seen.visitor_id and s.session_id = seen.session_id offset 0
    ) s
    where not exists (select from begun b where b.session_id = s.session_id)
  ), steps as materialized (
    select h.session_id, h.event_id, h.occurred_at, h.event_type, h.page, h.referrer, h.source, h.utm, h.is_conversion, h.engaged_ms, h.props
    from human h join begun using (session_id)
    union all
    select w.session_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm, e.is_conversion, e.engaged_ms, e.props
    from went_on w
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = w.visitor_id and e.session_id = w.session_id
        and e.occurred_at >= w.started_at and e.occurred_at < ends and e.bot_reason is null offset 0
    ) e
    union all
    select b.session_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm, e.is_conversion, e.engaged_ms, e.props
    from begun b
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = b.visitor_id and e.occurred_at >= ends
        and e.occurred_at <= b.last_activity_at and e.session_id = b.session_id and e.bot_reason is null offset 0
    ) e
    where b.last_activity_at >= ends
  ), stated as (
    select distinct on (session_id) session_id, event_id, source as stated, utm, referrer from steps order by session_id, occurred_at, event_id
  ), first_touch as (
    -- a visit that began on the site itself carries the source of the one before
    select s.*, coalesce(case when s.stated in ('internal', 'carried') then (
      select p.source from (table begun union all table went_on) b join sessions p on p.site_id = for_site and p.visitor_id = b.visitor_id and not p.is_bot
        and p.started_at <= b.started_at and p.session_id <> b.session_id
      -- two of one millisecond follow each other by the ids of their first events
      left join lateral (
        select e.event_id from events e where e.site_id = for_site and e.visitor_id = p.visitor_id and e.occurred_at = p.started_at
          and e.session_id = p.session_id order by e.event_id limit 1
      ) opening on true
      where b.session_id = s.session_id and (p.started_at < b.started_at or opening.event_id < s.event_id)
      order by p.started_at desc, opening.event_id desc limit 1
    ) else s.stated end, 'direct') as source
    from stated s
  ), landed as (
    select distinct on (session_id) session_id, page as landing, occurred_at as landed_at
    from steps where event_type = 'page_view' order by session_id, occurred_at, event_id
  ), left_by as (
    select distinct on (session_id) session_id, page as leaving
    from steps where event_type = 'page_view' order by session_id, occurred_at desc, event_id desc
  ), deeds as (
    select session_id, coalesce(sum(engaged_ms), 0) as attention,
      sum(case when event_type = 'page_view' then 1 else 0 end) as pages,
      sum(case when is_conversion or event_type not in ('page_view', 'engagement', 'web_vitals') then 1 else 0 end) as deeds,
      max(occurred_at) filter (where is_conversion or (event_type = 'form_submit' and (props ->> 'role' in ('search', 'signin')) is not true)) as last_deed
    from steps group by 1
  ), viewed as (
    select session_id, count(*) as views from human where event_type = 'page_view' group by 1
  ), visits as materialized (
    select f.*, l.landing, x.leaving, coalesce(v.views, 0) as views, o.visitor_id, o.device_type, o.browser, o.os, o.country, o.is_begun,
      case when o.is_begun and d.last_deed >= l.landed_at then 1 else 0 end as converted, d.attention,
      d.pages = 1 and d.deeds = 0 and d.attention < 10000 as bounced
    from first_touch f join deeds d using (session_id)
    join (select *, true as is_begun from begun union all select *, false from went_on) o using (session_id)
    left join landed l using (session_id) left join left_by x using (session_id) left join viewed v using (session_id)
  ), filled as materialized (
    select b.visitor_id, session_id, left(coalesce(s.props ->> 'formName', ''), 512) as form, max(case s.event_type when 'form_submit' then 1 else 0 end) as submitted
    from steps s join begun b using (session_id)
    where s.event_type in ('form_start', 'form_submit') and (s.props ->> 'role' in ('search', 'signin')) is not true group by 1, 2, 3
  ), measured as (
    select vital, greatest(0, ceil(ln(greatest(value, 1)) / ln(1.1::float8)))::int as bucket
    from human cross join lateral (values ('fcp', fcp_ms * 100::float8), ('lcp', lcp_ms * 100::float8), ('inp', inp_ms * 100::float8),
      ('ttfb', ttfb_ms * 100::float8), ('cls', cls_score * 10000::float8)) as of_event (vital, value)
    where value is not null
  ), counted (number, raw) as (
    select 'human_events', count(*) from human
    union all select 'page_views', count(*) from human where event_type = 'page_view'
    union all select 'unique_visitors', count(*) from (select distinct visitor_id from human) v
    union all select 'email_verifies', count(*) from human where event_type = 'email_verify'
    union all select 'clamped_events', count(*) from human where clamped
    union all select 'late_events', count(*) from human where received_at > occurred_at + interval '10 minutes'
    union all select 'bot_events', count(*) from today where bot_reason is not null
    union all select 'bots_by_reason.' || bot_reason, count(*) from today where bot_reason is not null group by bot_reason
    union all select 'sessions', count(*) from begun
    union all select 'sessions_by_source.' || source, count(*) from visits where is_begun group by source
    union all select 'entrances', count(*) from visits where is_begun and landing is not null
    union all select 'bounces', count(*) from visits where is_begun and landing is not null and bounced
    union all select 'engaged_ms', coalesce(sum(attention), 0) from visits where is_begun and landing is not null
    union all select 'landing_conversions', coalesce(sum(converted), 0) from visits
    union all select 'forms_started', count(*) from filled
    union all select 'forms_submitted', coalesce(sum(submitted), 0) from filled
    union all select format('vitals.%s.%s', vital, bucket), count(*) from measured group by vital, bucket
  ), kept as (
    select to_jsonb(m) - 'site_id' - 'day' as of_day from daily_metric_rollups m where site_id = for_site and day = for_day
  ), told (number, rollup) as (
    select n.number, n.value from kept cross join lateral numbers_in(of_day) n
  ), own_words as materialized (
    select visitor_id, event_type, is_conversion, left(p.key, 75) as key, left(p.value #>> '{}', 512) as value
    from human cross join lateral jsonb_each(case jsonb_typeof(props) when 'object' then props - 'formName' - 'role' else '{}' end) p
    where jsonb_typeof(p.value) in ('string', 'number', 'boolean') and p.value::text not like '%@%'
      and p.key not like '%@%' and p.key not like '%\%40%'
  ), names as (
    -- a name is cut before it is counted
    select 'page' as kind, page_name as name, '' as detail, count(distinct visitor_id) as visitors, 0 as sessions, 0 as entrances,
      count(*) filter (where event_type = 'page_view') as page_views,
      0 as conversions, count(*) as events, sum(coalesce(engaged_ms, 0)) as engaged_ms
    from human where event_type = 'page_view' or engaged_ms > 0 group by page_name
    union all
    select 'event', event_type, '', count(distinct visitor_id), 0, 0, 0, sum(is_conversion::int), count(*), 0 from human group by event_type
    union all
    select 'form', form, '', count(distinct visitor_id), count(*), 0, 0, sum(submitted), 0, 0 from filled group by form
    union all
    select 'prop:' || key, value, '', count(distinct visitor_id), 0, 0, count(*) filter (where event_type = 'page_view'), sum(is_conversion::int), count(*), 0
    from own_words where key in (select key from own_words group by key order by count(*) desc, key limit 20) group by key, value
    union all
    select 'exit', leaving, '', count(distinct visitor_id), count(*), 0, 0, 0, 0, 0 from (select visitor_id, left(leaving, 512) as leaving from visits where is_begun and leaving is not null) l group by leaving
    union all
    select kind, left(name, 512), left(detail, 512), count(distinct visitor_id), sum(is_begun::int), sum((is_begun and landing is not null)::int), sum(views), sum(converted), 0, 0
    from visits
    cross join lateral (values ('entrance', landing, ''), ('source', source, ''),
      ('campaign', utm ->> 'campaign', campaign_detail(utm ->> 'source', utm ->> 'medium')),
      ('utm_source', utm ->> 'source', ''), ('utm_medium', utm ->> 'medium', ''), ('utm_term', utm ->> 'term', ''), ('utm_content', utm ->> 'content', ''),
      ('referrer', case when stated not in ('internal', 'carried', 'direct') and source not in ('internal', 'direct')
        and referrer ~ '^(https?|(android|ios)-app)://.' then lower(substring(referrer from '^[a-z-]+://(?:www\.)?([^/:?#]+)')) end, ''),
      ('device', coalesce(device_type, 'unknown'), ''), ('browser', coalesce(browser, 'unknown'), ''), ('os', coalesce(os, 'unknown'), ''),
      ('country', coalesce(country, 'unknown'), '')) as of_visit (kind, name, detail)
    where name is not null group by 1, 2, 3
  ), ranked as (
    select *, rank() over (partition by kind order by sessions desc, page_views desc, events desc, name, detail)
      > case when starts_with(kind, 'prop:') then 200 else 1000 end as is_other
    from names where name is not null
  ), wanted_names as (
    select kind, case when is_other then '(other)' else name end as name, case when is_other then '' else detail end as detail,
      sum(visitors) as visitors, sum(sessions) as sessions, sum(entrances) as entrances, sum(page_views) as page_views, sum(conversions) as conversions, sum(events) as events, sum(engaged_ms) as engaged_ms
    from ranked group by 1, 2, 3
  ), kept_names as (
    select kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms from daily_breakdowns where site_id = for_site and day = for_day
  ), names_apart as (
    select kind, count(*) filter (where wanted) as raw, count(*) filter (where not wanted) as rollup from (
      (select true as wanted, * from (select * from wanted_names except all select * from kept_names) missing)
      union all
      (select false, * from (select * from kept_names except all select * from wanted_names) surplus)
    ) apart
    -- of more names than are kept apart, which ones have a row is chance
    where not exists (select from full_days f where f.site_id = for_site and f.day = for_day
      and f.what = case when kind like 'prop:%' then 'properties' else kind end)
    group by kind
  ), visitors_apart as (
    select count(*) filter (where k.visitor_id is null) as missing, count(*) filter (where h.visitor_id is null) as surplus,
      count(*) filter (where k.before is not null and k.previous_day is distinct from k.before) as misled
    from (select distinct visitor_id from human) h
    full join (
      select visitor_id, previous_day,
        (select max(day) from visitor_days b where b.site_id = d.site_id and b.visitor_id = d.visitor_id and b.day < for_day) as before
      from visitor_days d where site_id = for_site and day = for_day
    ) k using (visitor_id)
  ), returns_apart as (
    select coalesce(sum(greatest(coalesce(w.visitors, 0) - coalesce(k.visitors, 0), 0)), 0) as missing,
      coalesce(sum(greatest(coalesce(k.visitors, 0) - coalesce(w.visitors, 0), 0)), 0) as surplus
    from (select coalesce(previous_day, '-infinity') as previous, count(*) as visitors from visitor_days
      where site_id = for_site and day = for_day group by 1) w
    full join (select coalesce(previous_day, '-infinity') as previous, visitors from visitor_returns
      where site_id = for_site and day = for_day) k using (previous)
  ), signups_apart as (
    select count(*) filter (where c.conversion_id is null and not exists (select from full_days f
        where f.site_id = for_site and f.day = for_day and f.what = 'conversions')) as missing,
      count(*) filter (where h.event_id is null) as surplus
    from (select event_id, event_type, visitor_id, occurred_at, privacy_signal from human where event_type in ('signup', 'activation', 'email_verify')) h
    full join (select conversion_id, kind, visitor_id, occurred_at, privacy_signal from conversions
      where site_id = for_site and origin = 'browser' and occurred_at >= starts and occurred_at < ends) c
      on c.conversion_id = h.event_id::text and c.kind = h.event_type and c.visitor_id = h.visitor_id and c.occurred_at = h.occurred_at
        and c.privacy_signal = h.privacy_signal
  ), kept_visits_apart as (
    -- what filtered numbers are counted from, where the day is over
    select coalesce(sum(greatest(coalesce(w.visits, 0) - coalesce(k.visits, 0), 0)), 0) as missing,
      coalesce(sum(greatest(coalesce(k.visits, 0) - coalesce(w.visits, 0), 0)), 0) as surplus
    from (select visitor_id, left(source, 512) as source, coalesce(device_type, 'unknown') as device, coalesce(kept_path(left(landing, 512)), '') as landing, is_begun,
        views, converted = 1 as converted, is_begun and coalesce(bounced, false) as bounced, count(*) as visits
      from visits group by 1, 2, 3, 4, 5, 6, 7, 8) w
    full join (select d.visitor_id, o.source, o.device_type as device, coalesce(p.path, '') as landing, d.begun as is_begun,
        cardinality(d.pages)::bigint as views, d.converted, d.bounced, count(*) as visits
      from session_days d left join visit_origins o on o.site_id = for_site and o.origin_id = d.origin_id
      left join visit_paths p on p.site_id = for_site and p.path_id = d.landing_id
      where d.site_id = for_site and d.day = for_day group by 1, 2, 3, 4, 5, 6, 7, 8) k using (visitor_id, source, device, landing, is_begun, views, converted, bounced)
    where exists (select from rollup_state s where s.site_id = for_site and s.day = for_day and s.visits_kept)
  )
  select 'daily row', 1::float8, 0::float8 where not exists (select from kept)
  union all
  select coalesce(c.number, t.number), coalesce(c.raw, 0)::float8, coalesce(t.rollup, 0)
  from counted c full join told t on t.number = c.number
  where coalesce(c.raw, 0)::float8 <> coalesce(t.rollup, 0) and exists (select from kept)
  union all
  select kind || ' rows', raw::float8, rollup::float8 from names_apart
  union all
  select 'visitor days', missing::float8, surplus::float8 from visitors_apart where missing + surplus > 0
  union all
  select 'previous days', misled::float8, 0 from visitors_apart where misled > 0
  union all
  select 'returns', missing::float8, surplus::float8 from returns_apart where missing + surplus > 0
  union all
  select 'kept visits', missing::float8, surplus::float8 from kept_visits_apart where missing + surplus > 0
  union all
  select 'browsers'' conversions', missing::float8, surplus::float8 from signups_apart where missing + surplus > 0;

  -- The ledger's day is UTC's, and over before it is compared.
  if for_day < (now() at time zone 'UTC')::date then
    return query
    with counted (number, raw) as (
      select outcome, sum(count) from ingest_ledger where site_id = for_site and day = for_day group by 1
      union all
      select 'rejected_by_reason.' || reason, sum(count) from ingest_ledger where site_id = for_site and day = for_day and outcome = 'rejected' group by 1
      union all
      select 'latencies.' || bucket, count from ingest_latencies where site_id = for_site and day = for_day
    ), kept as (
      select to_jsonb(i) - 'site_id' - 'day' as of_day from daily_ingest_rollups i where site_id = for_site and day = for_day
    ), told (number, rollup) as (
      select n.number, n.value from kept cross join lateral numbers_in(of_day) n
    )
    select coalesce(c.number, t.number), coalesce(c.raw, 0)::float8, coalesce(t.rollup, 0)
    from counted c full join told t on t.number = c.number
    where coalesce(c.raw, 0)::float8 <> coalesce(t.rollup, 0);
  end if;
end $$;
comment on function compare_day is 'what of a day''s rollup differs from its raw rows; see src/product/metrics/compare_day.sql';

-- The next leads (by id) whose kept facts, touches of days that are over and counted, or credits are not what their sources say now,
-- and that nothing has marked.
-- returns  the last lead looked at, null when there are no more; and who differs
create or replace function compare_lead_facts(for_site uuid, after_lead uuid, at_most integer, out last_lead uuid, out differing uuid[])
language plpgsql as $$
declare
  looked_at uuid[];
begin
  select array_agg(lead_id order by lead_id) into looked_at from (
    select lead_id from leads where site_id = for_site and (after_lead is null or lead_id > after_lead) order by lead_id limit at_most
  ) next;
  last_lead := looked_at[cardinality(looked_at)];
  with told as materialized (
    select t.* from gather_lead_touches(for_site, looked_at) t join lead_facts f on f.site_id = for_site and f.lead_id = t.lead_id
  ), kept as materialized (
    select * from lead_touches where site_id = for_site and lead_id = any (looked_at)
  ), moved as materialized (
    (select * from told except select * from kept) union all (select * from kept except select * from told)
  ), credits_told as materialized (
    select c.* from gather_lead_credits(for_site, looked_at) c join lead_facts f on f.site_id = for_site and f.lead_id = c.lead_id
  ), credits_kept as materialized (
    select * from lead_credits where site_id = for_site and lead_id = any (looked_at)
  )
  select array_agg(distinct lead_id) into differing from (
    select coalesce(g.lead_id, f.lead_id) as lead_id
    from gather_lead_facts(for_site, looked_at) g
    full join (select * from lead_facts where site_id = for_site and lead_id = any (looked_at)) f on f.lead_id = g.lead_id
    where to_jsonb(g) is distinct from to_jsonb(f)
    union all
    select lead_id from moved cross join lateral (select site_day(for_site, started_at) as day) of_site
    where exists (select from rollup_state r where r.site_id = for_site and r.day = of_site.day and r.rolled_up_at >= r.ends_at)
      and not exists (select from dirty_days d where d.site_id = for_site and d.day = of_site.day)
      and not exists (select from dirty_visits d where d.site_id = for_site and moved.visitor_id = any (d.visitor_ids))
    union all
    -- credits follow from touches: where those are as they were kept, so must these be
    select lead_id from (
      (select * from credits_told except select * from credits_kept) union all (select * from credits_kept except select * from credits_told)
    ) credited
    where lead_id not in (select lead_id from moved)
  ) apart
  where not exists (select from marked_leads(for_site, null) as m (lead_id) where m.lead_id = apart.lead_id);
end $$;
comment on function compare_lead_facts is 'leads whose kept facts are wrong; see src/product/metrics/compare_day.sql';
