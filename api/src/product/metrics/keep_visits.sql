-- A path as it is kept: of one that was cut at its longest, maybe inside an address, nothing after its last slash.
create or replace function kept_path(path text) returns text language sql immutable parallel safe
return case when length(path) >= 512 then regexp_replace(path, '[^/]*$', '…') else path end;

-- What filtered numbers are counted from, of a day that changes no more: its facts of visits (visit_facts) as rows of numbers, with
-- what they came by and saw each kept once a site. Called again it overwrites. The facts themselves go.
--
-- The caller holds the site's lock (7301003): of two that add a name one would not see the other's.
create or replace function keep_visits(for_site uuid, for_day date) returns void language plpgsql
set jit = off set work_mem = '8MB' set enable_nestloop = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  delete from session_days where site_id = for_site and day = for_day;

  with there as materialized (
    select source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, coalesce(device_type, 'unknown') as device_type,
      coalesce(browser, 'unknown') as browser, coalesce(os, 'unknown') as os, coalesce(country, 'unknown') as country
    from visit_facts where site_id = for_site and day = for_day and begun is not null group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
  ), hashed as materialized (
    select hashtextextended(row(t.*)::text, 0) as hash, t.* from there t
  ), known as (
    update visit_origins o set last_day = for_day from hashed h
    where o.site_id = for_site and o.hash = h.hash and o.last_day < for_day
  )
  insert into visit_origins (site_id, hash, last_day, has_at, source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, device_type, browser, os, country)
  select for_site, hash, for_day,
    coalesce(may_hold_address(concat_ws(' ', referrer, campaign, utm_source, utm_medium, utm_term, utm_content)), false),
    source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, device_type, browser, os, country
  from hashed h where not exists (select from visit_origins o where o.site_id = for_site and o.hash = h.hash);

  with seen as (
    select landing as path from visit_facts where site_id = for_site and day = for_day and begun is not null
    union select leaving from visit_facts where site_id = for_site and day = for_day and begun is not null
    union select n.name from visit_facts f cross join lateral unnest(f.kinds, f.names, f.name_views) n (kind, name, views)
      where f.site_id = for_site and f.day = for_day and f.begun is not null and n.kind = 'page' and n.views > 0
  ), hashed as materialized (
    select hashtextextended(path, 0) as hash, path from seen where path is not null
  ), known as (
    update visit_paths p set last_day = for_day from hashed h where p.site_id = for_site and p.hash = h.hash and p.last_day < for_day
  )
  insert into visit_paths (site_id, hash, last_day, has_at, path)
  select for_site, hash, for_day, may_hold_address(kept_path(path)), kept_path(path)
  from hashed h where not exists (select from visit_paths p where p.site_id = for_site and p.hash = h.hash);

  with facts as materialized (
    select f.*, (row_number() over (partition by visitor_id order by session_id))::int as nth, count(*) over (partition by visitor_id) > 1 as again,
      hashtextextended(row(source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, coalesce(device_type, 'unknown'),
        coalesce(browser, 'unknown'), coalesce(os, 'unknown'), coalesce(country, 'unknown'))::text, 0) as hash
    from visit_facts f where site_id = for_site and day = for_day and begun is not null
  ), paths as materialized (
    -- after an erasure two may be one
    select hash, min(path_id) as path_id from visit_paths where site_id = for_site group by 1
  ), origins as materialized (
    select hash, min(origin_id) as origin_id from visit_origins where site_id = for_site group by 1
  ), viewed as (
    select f.visitor_id, f.session_id, array_agg(p.path_id order by n.place) as pages
    from facts f cross join lateral unnest(f.kinds, f.names, f.name_views) with ordinality n (kind, name, views, place)
    join paths p on p.hash = hashtextextended(n.name, 0)
    cross join lateral generate_series(1, n.views)
    where n.kind = 'page' and n.views > 0 group by 1, 2
  ), filled as (
    select f.visitor_id, f.session_id, count(*) as started, sum(n.conversions) as submitted
    from facts f cross join lateral unnest(f.kinds, f.name_conversions) n (kind, conversions)
    where n.kind = 'form' group by 1, 2
  )
  insert into session_days (site_id, visitor_id, day, origin_id, landing_id, leaving_id, engaged_ms, nth, forms_started, forms_submitted, again, begun, converted, bounced, pages)
  select for_site, f.visitor_id, for_day, o.origin_id, coalesce(l.path_id, 0), coalesce(x.path_id, 0), least(f.engaged_ms, 2147483647), least(f.nth, 32767),
    least(coalesce(c.started, 0), 32767), least(coalesce(c.submitted, 0), 32767), f.again, f.begun = 1, f.converted = 1, f.bounced = 1, coalesce(v.pages, '{}')
  from facts f join origins o using (hash)
  left join paths l on l.hash = hashtextextended(f.landing, 0) left join paths x on x.hash = hashtextextended(f.leaving, 0)
  left join viewed v on v.visitor_id = f.visitor_id and v.session_id = f.session_id
  left join filled c on c.visitor_id = f.visitor_id and c.session_id = f.session_id;

  update rollup_state set visits_kept = true where site_id = for_site and day = for_day;
  delete from visit_facts where site_id = for_site and day = for_day;
end $$;
comment on function keep_visits is 'what filtered numbers are counted from, of a day that changes no more; see src/product/metrics/keep_visits.sql';
