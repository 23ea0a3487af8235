-- What the numbers count of these leads, from its sources: the one definition that headline, breakdowns, cohorts,
-- attribution and drill-downs share. Imported leads did not come from the site's forms and have no facts. Only strong
-- links count; signups, activations and verifications count from the capture on.
--
-- Lead by lead through the indexes (lateral, offset 0): a plan made while the tables were empty joined all conversions of
-- the site with all links (seen: 2.6 s for 250 leads instead of 5 ms).
create or replace function gather_lead_facts(for_site uuid, wanted uuid[]) returns setof lead_facts
language sql stable strict rows 100 set enable_seqscan = off set enable_mergejoin = off as $$
  select for_site, l.lead_id, site_day(for_site, l.first_captured_at), l.first_captured_at, l.first_source,
    l.first_utm ->> 'source', l.first_utm ->> 'medium', l.first_utm ->> 'campaign', l.domain_class,
    coalesce(l.verified_at, made.verified_at), made.signed_up_at, made.activated_at,
    case when seen.first_human_at is not null then greatest(0, extract(epoch from l.first_captured_at - seen.first_human_at) / 3600)::float8 end
  from leads l
  left join lateral (
    select v.first_human_at from visitors v
    where v.site_id = for_site and v.visitor_id = l.first_visitor_id
      and exists (select from lead_identities i where i.site_id = for_site and i.lead_id = l.lead_id and i.visitor_id = v.visitor_id
        and i.link_source = 'form_submit' and i.unlinked_at is null)
    offset 0
  ) seen on true
  cross join lateral (
    select min(occurred_at) filter (where kind = 'signup') as signed_up_at, min(occurred_at) filter (where kind = 'activation') as activated_at,
      min(occurred_at) filter (where kind = 'email_verify') as verified_at
    from (
      select kind, occurred_at from conversions c where c.site_id = for_site and c.lead_id = l.lead_id
      union all
      select kind, occurred_at
      from (
        select distinct visitor_id from lead_identities i
        where i.site_id = for_site and i.lead_id = l.lead_id and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
        offset 0
      ) linked
      cross join lateral (
        select kind, occurred_at from conversions c where c.site_id = for_site and c.visitor_id = linked.visitor_id offset 0
      ) c
      offset 0
    ) told
    -- not where it stands: an index by time would look good to a plan without statistics
    where occurred_at >= l.first_captured_at
  ) made
  where l.site_id = for_site and l.lead_id = any (wanted) and l.imported_at is null
$$;
comment on function gather_lead_facts is 'facts of these leads of a site, gathered from their sources; none for an imported one; see src/product/metrics/gather_lead_facts.sql';

-- Which leads are marked. A visitor's mark is looked up now, so that a link which was on its way counts.
create or replace function marked_leads(for_site uuid, from_marks bigint[]) returns setof uuid
language sql stable rows 10 set enable_seqscan = off as $$
  select lead_id from dirty_leads where site_id = for_site and lead_id is not null and (from_marks is null or mark_id = any (from_marks))
  union
  select i.lead_id from dirty_leads d join lead_identities i on i.site_id = d.site_id and i.visitor_id = d.visitor_id
  where d.site_id = for_site and d.visitor_id is not null and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
    and (from_marks is null or d.mark_id = any (from_marks))
$$;

-- Brings the facts of marked leads up to date. Marks are read before their sources and exactly those are removed: what
-- commits in between leaves a mark for the next time.
-- returns  how many marks there were, at most at_most: call it again until it says 0
create or replace function refresh_lead_facts(for_site uuid, at_most integer) returns integer language plpgsql as $$
declare
  marks bigint[];
  wanted uuid[];
begin
  perform pg_advisory_xact_lock(7301004, hashtext(for_site::text));
  select array_agg(mark_id) into marks from (
    select mark_id from dirty_leads where site_id = for_site order by mark_id limit at_most
  ) oldest;
  if marks is null then
    return 0;
  end if;
  select array_agg(lead_id order by lead_id) into wanted from marked_leads(for_site, marks) as m (lead_id);
  -- An erasure takes the lead before its facts; whoever is being erased right now is waited for, and is then gone.
  perform from leads where site_id = for_site and lead_id = any (wanted) order by lead_id for key share;
  perform renew_first_touches(for_site, array(select m.lead_id from marked_leads(for_site, array(
    select mark_id from dirty_leads where site_id = for_site and mark_id = any (marks) and is_first_touch)) as m (lead_id)));
  with gathered as materialized (
    select * from gather_lead_facts(for_site, wanted)
  ), gone as (
    delete from lead_facts f where f.site_id = for_site and f.lead_id = any (wanted)
      and not exists (select from gathered g where g.lead_id = f.lead_id)
  )
  insert into lead_facts as f select * from gathered order by lead_id
  on conflict (site_id, lead_id) do update
  set day = excluded.day, first_captured_at = excluded.first_captured_at, source = excluded.source, utm_source = excluded.utm_source,
    utm_medium = excluded.utm_medium, campaign = excluded.campaign, domain_class = excluded.domain_class,
    verified_at = excluded.verified_at, signed_up_at = excluded.signed_up_at, activated_at = excluded.activated_at, hours = excluded.hours
  where f is distinct from excluded;
  delete from dirty_leads where site_id = for_site and mark_id = any (marks);
  return cardinality(marks);
end $$;
comment on function refresh_lead_facts is 'gathers the facts of marked leads anew; see src/product/metrics/gather_lead_facts.sql';
