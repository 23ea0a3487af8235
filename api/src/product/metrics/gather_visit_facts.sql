-- A measurement's bucket in the histograms: each a tenth wider than the one before.
create or replace function bucket_of(hundredths float8) returns integer language sql immutable
return greatest(0, ceil(ln(greatest(hundredths, 1)) / ln(1.1::float8)))::int;

-- What the numbers of a day count of each visit, from its raw events: the one definition that a whole count of the day and
-- a round of changed visits share. A visit counts for the day of its first human event, whole, also what it does after
-- midnight; of the day on which it went on it has a row too, for the page views of that day.
--
-- wanted  only of these visitors; null: of all that were there
create or replace function gather_visit_facts(for_site uuid, for_day date, starts timestamptz, ends timestamptz, wanted uuid[])
returns setof visit_facts language plpgsql stable
-- A rush into a table that was never analysed is taken for a few rows, and then compared row by row: 60 000 events took
-- 48 s, by hashing 0.8 s. What must be looked up by index says so with "lateral".
-- The plan is kept, and may have been made while the day was empty: by index then too, and a whole day in the order of its pages.
set jit = off set work_mem = '8MB' set enable_nestloop = off set enable_seqscan = off set enable_indexscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query
  with raw as materialized (
    select event_id, visitor_id, session_id, occurred_at, event_type, split_part(path, '?', 1) as path, referrer,
      source, utm, bot_reason, clamped, received_at - occurred_at > interval '10 minutes' as is_late, is_conversion, engaged_ms,
      fcp_ms, lcp_ms, inp_ms, ttfb_ms, cls_score,
      case when event_type in ('form_start', 'form_submit') then coalesce(props ->> 'formName', '') end as form,
      -- the browsers' own script tells of forms that make leads, and of no other
      event_type in ('form_start', 'form_submit') and coalesce(props ->> 'role', '') not in ('search', 'signin') as is_lead,
      nullif(props - '{formName,role}'::text[], '{}') as props
    from (
      select * from events where wanted is null and site_id = for_site and occurred_at >= starts and occurred_at < ends
      union all
      select e.* from unnest(wanted) as w (visitor_id)
      cross join lateral (
        select * from events e where e.site_id = for_site and e.visitor_id = w.visitor_id and e.occurred_at >= starts and e.occurred_at < ends offset 0
      ) e
    ) of_day
  ), present as materialized (
    select session_id, visitor_id from raw where bot_reason is null group by 1, 2
  ), owned as materialized (
    -- a session that had a human event before midnight belongs to that day
    select p.session_id, p.visitor_id, s.last_activity_at, s.source as came_from, s.device_type, s.browser, s.os, s.country
    from present p
    cross join lateral (
      -- by its visitor too: whichever index is taken finds one row
      select * from sessions s where s.site_id = for_site and s.visitor_id = p.visitor_id and s.session_id = p.session_id offset 0
    ) s
    where s.started_at >= starts or not (
      exists (
        select from events e where e.site_id = for_site and e.visitor_id = p.visitor_id
          and e.occurred_at >= s.started_at and e.occurred_at < starts and e.session_id = p.session_id and e.bot_reason is null
      )
      -- the day before is sealed and its rows may be gone: it has counted the session
      or exists (select from rollup_state z where z.site_id = for_site and z.day = for_day - 1 and z.sealed_at is not null)
    )
  ), visit as materialized (
    select session_id, visitor_id, event_id, occurred_at, event_type, path, referrer, source, utm, is_conversion, engaged_ms, form, is_lead
    from raw join owned using (session_id, visitor_id) where bot_reason is null
    union all
    -- after midnight it still counts for the day on which it began
    select o.session_id, o.visitor_id, e.event_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1), e.referrer, e.source, e.utm,
      e.is_conversion, e.engaged_ms, case when e.event_type in ('form_start', 'form_submit') then coalesce(e.props ->> 'formName', '') end,
      e.event_type in ('form_start', 'form_submit') and coalesce(e.props ->> 'role', '') not in ('search', 'signin')
    from owned o
    cross join lateral (
      select * from events e where e.site_id = for_site and e.visitor_id = o.visitor_id and e.occurred_at >= ends
        and e.occurred_at <= o.last_activity_at and e.session_id = o.session_id and e.bot_reason is null offset 0
    ) e
    where o.last_activity_at >= ends
  ), begun_here as materialized (
    select session_id, visitor_id,
      coalesce((array_agg(source order by occurred_at, event_id))[1] in ('carried', 'internal'), false) as is_carried,
      (array_agg(utm order by occurred_at, event_id))[1] as utm,
      (array_agg(referrer order by occurred_at, event_id))[1] as referrer,
      (array_agg(path order by occurred_at, event_id) filter (where event_type = 'page_view'))[1] as landing,
      (array_agg(path order by occurred_at desc, event_id desc) filter (where event_type = 'page_view'))[1] as leaving,
      count(*) filter (where event_type = 'page_view') = 1 and coalesce(sum(engaged_ms), 0) < 10000
        and bool_and(event_type in ('page_view', 'engagement', 'web_vitals') and not is_conversion) as bounced,
      coalesce(sum(engaged_ms), 0) as engaged_ms,
      -- a search or a sign-in is none
      coalesce(max(occurred_at) filter (where (event_type = 'form_submit' and is_lead) or is_conversion)
        >= min(occurred_at) filter (where event_type = 'page_view'), false) as converted
    from visit group by session_id, visitor_id
  ), begun_before as materialized (
    -- few: found first, so that only theirs is looked up again
    select * from present p where not exists (select from owned o where o.session_id = p.session_id and o.visitor_id = p.visitor_id)
  ), continued as (
    -- counted on the day before; their page views of this day are this day's, under the name they came by
    select p.session_id, p.visitor_id, s.device_type, s.browser, s.os, s.country, s.source,
      case when began.event_id is null then s.is_carried else coalesce(began.source in ('carried', 'internal'), false) end as is_carried,
      case when began.event_id is null then s.utm else began.utm end as utm, case when began.event_id is null then s.referrer else began.referrer end as referrer,
      -- a sealed day's rows may be gone
      coalesce(landed.path, case when began.event_id is null then split_part(s.landing_path, '?', 1) end) as landing
    from begun_before p
    cross join lateral (
      select * from sessions s where s.site_id = for_site and s.visitor_id = p.visitor_id and s.session_id = p.session_id offset 0
    ) s
    left join lateral (
      select e.event_id, e.source, e.utm, e.referrer from events e where e.site_id = for_site and e.visitor_id = p.visitor_id and e.session_id = p.session_id
        and e.occurred_at >= s.started_at and e.occurred_at < starts and e.bot_reason is null order by e.occurred_at, e.event_id limit 1
    ) began on true
    left join lateral (
      select split_part(e.path, '?', 1) as path from events e where e.site_id = for_site and e.visitor_id = p.visitor_id and e.session_id = p.session_id
        and e.occurred_at >= s.started_at and e.occurred_at < ends and e.bot_reason is null and e.event_type = 'page_view'
      order by e.occurred_at, e.event_id limit 1
    ) landed on true
  ), there_by as (
    -- the source of the session: its first event may have none of its own
    select b.visitor_id, b.session_id, 1 as begun, o.came_from as source, b.is_carried, b.utm, b.referrer, b.landing, b.leaving, b.converted, b.bounced,
      b.engaged_ms, o.device_type, o.browser, o.os, o.country
    from begun_here b join owned o using (session_id, visitor_id)
    union all
    select visitor_id, session_id, 0, source, is_carried, utm, referrer, landing, null, false, false, 0, device_type, browser, os, country from continued
  ), named as (
    -- a name is cut before it is summed
    select visitor_id, session_id, 'page' as kind, left(path, 512) as name, (event_type = 'page_view')::int as views, 0 as conversions,
      1 as events, coalesce(engaged_ms, 0) as engaged_ms
    from raw where bot_reason is null and (event_type = 'page_view' or engaged_ms > 0)
    union all
    select visitor_id, session_id, 'event', event_type, 0, is_conversion::int, 1, 0 from raw where bot_reason is null
    union all
    select r.visitor_id, r.session_id, left('prop:' || p.key, 80), left(p.value #>> '{}', 512), (r.event_type = 'page_view')::int, r.is_conversion::int, 1, 0
    from raw r cross join lateral jsonb_each(r.props) p
    where bot_reason is null and r.props is not null and jsonb_typeof(r.props) = 'object' and jsonb_typeof(p.value) in ('string', 'number', 'boolean')
      -- an address is no name of a number, nor of a property
      and p.value::text not like '%@%' and p.key not like '%@%' and p.key not like '%\%40%'
    union all
    select visitor_id, session_id, 'bots', bot_reason, 0, 0, 1, 0 from raw where bot_reason is not null
  ), listed as (
    select visitor_id, session_id, array_agg(kind) as kinds, array_agg(name) as names, array_agg(views) as views, array_agg(conversions) as conversions,
      array_agg(events) as events, array_agg(engaged_ms) as engaged_ms, bool_or(may_hold_address(name) or kind like '%@%') as has_at
    from (
      select visitor_id, session_id, kind, name, sum(views)::int as views, sum(conversions)::int as conversions, sum(events)::int as events,
        sum(engaged_ms)::bigint as engaged_ms
      from named group by session_id, visitor_id, name, kind
      union all
      -- a form counts once a visit
      select visitor_id, session_id, 'form', left(form, 512), 0, bool_or(event_type = 'form_submit')::int, 0, 0 from visit
      where is_lead group by 1, 2, 4
    ) each group by 1, 2
  ), measured as (
    select visitor_id, session_id, array_agg(code::smallint) as vitals
    from (
      select visitor_id, session_id, 1000 + bucket_of(fcp_ms * 100::float8) as code from raw where bot_reason is null and fcp_ms is not null
      union all select visitor_id, session_id, 2000 + bucket_of(lcp_ms * 100::float8) from raw where bot_reason is null and lcp_ms is not null
      union all select visitor_id, session_id, 3000 + bucket_of(inp_ms * 100::float8) from raw where bot_reason is null and inp_ms is not null
      union all select visitor_id, session_id, 4000 + bucket_of(ttfb_ms * 100::float8) from raw where bot_reason is null and ttfb_ms is not null
      union all select visitor_id, session_id, 5000 + bucket_of(cls_score * 10000::float8) from raw where bot_reason is null and cls_score is not null
    ) each group by 1, 2
  ), counted as (
    select visitor_id, session_id, (count(*) filter (where bot_reason is null))::int as human_events,
      (count(*) filter (where bot_reason is null and event_type = 'page_view'))::int as page_views,
      (count(*) filter (where bot_reason is null and event_type = 'email_verify'))::int as email_verifies,
      (count(*) filter (where bot_reason is null and clamped))::int as clamped_events,
      (count(*) filter (where bot_reason is null and is_late))::int as late_events
    from raw group by 1, 2
  )
  select for_site, for_day, c.visitor_id, c.session_id, t.begun::smallint, case when t.begun is not null then left(coalesce(t.source, 'direct'), 512) end,
    case when t.source not in ('internal', 'direct') and not t.is_carried and t.referrer ~ '^(https?|android-app|ios-app)://.'
      then left(lower(substring(t.referrer from '^[a-z-]+://(?:www\.)?([^/:?#]+)')), 512) end,
    left(t.utm ->> 'campaign', 512), left(t.utm ->> 'source', 512), left(t.utm ->> 'medium', 512), left(t.utm ->> 'term', 512), left(t.utm ->> 'content', 512),
    t.device_type, left(t.browser, 512), left(t.os, 512), t.country, left(t.landing, 512), left(t.leaving, 512),
    c.human_events, c.page_views, c.email_verifies, c.clamped_events, c.late_events,
    coalesce(t.converted, false)::int::smallint, coalesce(t.bounced, false)::int::smallint, coalesce(t.engaged_ms, 0)::bigint,
    coalesce(l.kinds, '{}'), coalesce(l.names, '{}'), coalesce(l.views, '{}'), coalesce(l.conversions, '{}'), coalesce(l.events, '{}'), coalesce(l.engaged_ms, '{}'),
    coalesce(m.vitals, '{}'),
    coalesce(l.has_at, false) or coalesce(may_hold_address(t.utm::text), false) or coalesce(may_hold_address(t.referrer), false)
      or coalesce(may_hold_address(t.landing), false) or coalesce(may_hold_address(t.leaving), false)
  from counted c left join there_by t using (visitor_id, session_id) left join listed l using (visitor_id, session_id)
  left join measured m using (visitor_id, session_id);
end $$;
comment on function gather_visit_facts is 'what a day''s numbers count of each visit; see src/product/metrics/gather_visit_facts.sql';
