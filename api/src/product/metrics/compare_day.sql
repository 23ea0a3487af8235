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
    select *, split_part(path, '?', 1) as page,
      case when event_type in ('form_start', 'form_submit') then coalesce(props ->> 'formName', '') end as form
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
  ), steps as materialized (
    select h.session_id, h.event_id, h.occurred_at, h.event_type, h.page, h.referrer, h.source, h.utm, h.is_conversion, h.form
    from human h join begun using (session_id)
    union all
    select b.session_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm, e.is_conversion,
      case when e.event_type in ('form_start', 'form_submit') then coalesce(e.props ->> 'formName', '') end
    from begun b
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = b.visitor_id and e.occurred_at >= ends
        and e.occurred_at <= b.last_activity_at and e.session_id = b.session_id and e.bot_reason is null offset 0
    ) e
    where b.last_activity_at >= ends
  ), stated as (
    select distinct on (session_id) session_id, source as stated, utm, referrer from steps order by session_id, occurred_at, event_id
  ), first_touch as (
    -- a visit that began on the site itself carries the source of the one before
    select s.*, coalesce(case when s.stated in ('internal', 'carried') then (
      select p.source from begun b join sessions p on p.site_id = for_site and p.visitor_id = b.visitor_id and not p.is_bot
        and p.started_at < b.started_at where b.session_id = s.session_id order by p.started_at desc limit 1
    ) else s.stated end, 'direct') as source
    from stated s
  ), landed as (
    select distinct on (session_id) session_id, page as landing, occurred_at as landed_at
    from steps where event_type = 'page_view' order by session_id, occurred_at, event_id
  ), left_by as (
    select distinct on (session_id) session_id, page as leaving
    from steps where event_type = 'page_view' order by session_id, occurred_at desc, event_id desc
  ), deeds as (
    select session_id, count(*) filter (where event_type = 'page_view') as views,
      max(occurred_at) filter (where event_type = 'form_submit' or is_conversion) as last_deed
    from steps group by 1
  ), visits as materialized (
    select f.*, l.landing, x.leaving, d.views, case when d.last_deed >= l.landed_at then 1 else 0 end as converted
    from first_touch f join deeds d using (session_id) left join landed l using (session_id) left join left_by x using (session_id)
  ), filled as materialized (
    select session_id, form, max(case event_type when 'form_submit' then 1 else 0 end) as submitted from steps where form is not null group by 1, 2
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
    union all select 'sessions', count(*) from visits
    union all select 'sessions_by_source.' || source, count(*) from visits group by source
    union all select 'entrances', count(*) from visits where landing is not null
    union all select 'landing_conversions', coalesce(sum(converted), 0) from visits
    union all select 'forms_started', count(*) from filled
    union all select 'forms_submitted', coalesce(sum(submitted), 0) from filled
    union all select format('vitals.%s.%s', vital, bucket), count(*) from measured group by vital, bucket
  ), kept as (
    select to_jsonb(m) - 'site_id' - 'day' as of_day from daily_metric_rollups m where site_id = for_site and day = for_day
  ), told (number, rollup) as (
    select key, value::float8 from kept cross join jsonb_each(of_day) where jsonb_typeof(value) = 'number'
    union all
    select format('%s.%s', o.key, i.key), i.value::float8 from kept cross join jsonb_each(of_day) o
    cross join lateral jsonb_each(case jsonb_typeof(o.value) when 'object' then o.value else '{}' end) i where jsonb_typeof(i.value) = 'number'
    union all
    select format('vitals.%s.%s', o.key, i.key), i.value::float8 from kept cross join jsonb_each(of_day -> 'vitals') o
    cross join lateral jsonb_each(o.value) i
  ), names as (
    select 'page' as kind, page as name, '' as detail, 0 as sessions, count(*) filter (where event_type = 'page_view') as page_views,
      0 as conversions, count(*) as events, sum(coalesce(engaged_ms, 0)) as engaged_ms
    from human where event_type = 'page_view' or engaged_ms > 0 group by page
    union all
    select 'event', event_type, '', 0, 0, sum(is_conversion::int), count(*), 0 from human group by event_type
    union all
    select 'form', form, '', count(*), 0, sum(submitted), 0, 0 from filled group by form
    union all
    select kind, name, detail, count(*), case kind when 'exit' then 0 else sum(views) end, case kind when 'exit' then 0 else sum(converted) end, 0, 0
    from visits join begun using (session_id)
    cross join lateral (values ('entrance', landing, ''), ('exit', leaving, ''), ('source', visits.source, ''),
      ('campaign', visits.utm ->> 'campaign', concat_ws(' / ', visits.utm ->> 'source', visits.utm ->> 'medium')),
      ('referrer', case when stated not in ('internal', 'carried', 'direct') and visits.referrer ~ '^https?://.'
        then lower(substring(visits.referrer from '^https?://(?:www\.)?([^/:]+)')) end, ''),
      ('device', coalesce(device_type, 'unknown'), ''), ('browser', coalesce(browser, 'unknown'), ''), ('os', coalesce(os, 'unknown'), ''),
      ('country', coalesce(country, 'unknown'), '')) as of_visit (kind, name, detail)
    where name is not null group by kind, name, detail
  ), ranked as (
    select *, rank() over (partition by kind order by sessions desc, page_views desc, events desc, name, detail) > 1000 as is_other
    from names where name is not null
  ), wanted_names as (
    select kind, case when is_other then '(other)' else left(name, 512) end as name, case when is_other then '' else left(detail, 512) end as detail,
      sum(sessions) as sessions, sum(page_views) as page_views, sum(conversions) as conversions, sum(events) as events, sum(engaged_ms) as engaged_ms
    from ranked group by 1, 2, 3
  ), kept_names as (
    select kind, name, detail, sessions, page_views, conversions, events, engaged_ms from daily_breakdowns where site_id = for_site and day = for_day
  ), names_apart as (
    select kind, count(*) filter (where wanted) as raw, count(*) filter (where not wanted) as rollup from (
      (select true as wanted, * from (select * from wanted_names except all select * from kept_names) missing)
      union all
      (select false, * from (select * from kept_names except all select * from wanted_names) surplus)
    ) apart group by kind
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
    select count(*) filter (where c.conversion_id is null) as missing, count(*) filter (where h.event_id is null) as surplus
    from (select event_id, event_type, visitor_id, occurred_at from human where event_type in ('signup', 'activation', 'email_verify')) h
    full join (select conversion_id, kind, visitor_id, occurred_at from conversions
      where site_id = for_site and origin = 'browser' and occurred_at >= starts and occurred_at < ends) c
      on c.conversion_id = h.event_id::text and c.kind = h.event_type and c.visitor_id = h.visitor_id and c.occurred_at = h.occurred_at
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
      select key, value::float8 from kept cross join jsonb_each(of_day) where jsonb_typeof(value) = 'number'
      union all
      select format('%s.%s', o.key, i.key), i.value::float8 from kept cross join jsonb_each(of_day) o
      cross join lateral jsonb_each(case jsonb_typeof(o.value) when 'object' then o.value else '{}' end) i
    )
    select coalesce(c.number, t.number), coalesce(c.raw, 0)::float8, coalesce(t.rollup, 0)
    from counted c full join told t on t.number = c.number
    where coalesce(c.raw, 0)::float8 <> coalesce(t.rollup, 0);
  end if;
end $$;
comment on function compare_day is 'what of a day''s rollup differs from its raw rows; see src/product/metrics/compare_day.sql';

-- The next leads (by id) whose kept facts are not what their sources say now, and that nothing has marked.
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
  select array_agg(distinct lead_id) into differing from (
    select coalesce(g.lead_id, f.lead_id) as lead_id
    from gather_lead_facts(for_site, looked_at) g
    full join (select * from lead_facts where site_id = for_site and lead_id = any (looked_at)) f on f.lead_id = g.lead_id
    where to_jsonb(g) is distinct from to_jsonb(f)
  ) apart
  where not exists (select from marked_leads(for_site, null) as m (lead_id) where m.lead_id = apart.lead_id);
end $$;
comment on function compare_lead_facts is 'leads whose kept facts are wrong; see src/product/metrics/compare_day.sql';
