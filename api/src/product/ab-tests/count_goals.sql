-- The first goal of each visitor of a test after their first exposure, within so many days: once. Only what is open, or may still
-- change, is looked at, each visitor along an index; running it twice changes nothing.
-- Whoever told it, a server or a browser: nobody is shown this number, forms and events are told by browsers as well, and both
-- arms are asked alike. A claim, which visitors are shown as true, counts what a server told alone (CONVERSIONS in ../proof/claims.ts).
-- goal_of   leads, signups, activations, purchases, page_views or event:TYPE;  on_path  null: whatever page
create or replace function count_goals(for_site uuid, for_test uuid, goal_of text, on_path text, within_days integer) returns integer
language plpgsql set jit = off as $$
declare
  changed integer;
begin
  -- Found first, then changed by their places: joined with the table again, it is walked once for each of them.
  with open as materialized (
    select x.ctid as place, x.visitor_id, x.first_exposed_at, x.converted_at from ab_exposures x
    where x.site_id = for_site and x.test_id = for_test
      -- two days: what arrives late, or is taken back
      and x.first_exposed_at > now() - make_interval(days => within_days + 2)
  ), reached as materialized (
    select o.place, o.converted_at, (
      select min(g.at) from (
        select e.occurred_at as at from events e
        where e.site_id = for_site and e.visitor_id = o.visitor_id and e.bot_reason is null
          and e.occurred_at > o.first_exposed_at and e.occurred_at <= o.first_exposed_at + make_interval(days => within_days)
          and (on_path is null or split_part(e.path, '?', 1) = on_path)
          and case goal_of when 'leads' then e.event_type = 'form_submit' and coalesce(e.props ->> 'role', '') not in ('search', 'signin')
            when 'page_views' then e.event_type = 'page_view' else 'event:' || e.event_type = goal_of end
          and goal_of not in ('signups', 'activations', 'purchases')
        union all
        select c.occurred_at from conversions c
        where goal_of in ('signups', 'activations', 'purchases') and c.site_id = for_site and c.kind || 's' = goal_of and c.voided_at is null
          and c.occurred_at > o.first_exposed_at and c.occurred_at <= o.first_exposed_at + make_interval(days => within_days)
          and (c.visitor_id = o.visitor_id or c.lead_id in (
            select i.lead_id from lead_identities i where i.site_id = for_site and i.visitor_id = o.visitor_id
              and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window'
              -- one that was ended, as when its person objected, holds for what was before
              and (i.ended_at is null or i.ended_at >= c.occurred_at)))
      ) g
    ) as at
    from open o
  )
  update ab_exposures x set converted_at = r.at from reached r where x.ctid = r.place and r.converted_at is distinct from r.at;
  get diagnostics changed = row_count;
  return changed;
end $$;
comment on function count_goals is 'finds who of a test reached its goal; see src/product/ab-tests/count_goals.sql';
