-- What the numbers count of these leads, from its sources: the one definition that headline, breakdowns, cohorts,
-- attribution and drill-downs share. An imported lead has facts from its first form on, or none. Only strong links count;
-- verifications count from the capture on, signups and activations from ten minutes before it (one form makes account and
-- lead, and two clocks tell of it).
--
-- Lead by lead through the indexes (lateral, offset 0): a plan made while the tables were empty joined all conversions of
-- the site with all links (seen: 2.6 s for 250 leads instead of 5 ms).

-- When the site's own forms captured this lead; null: never, it was imported.
create or replace function captured_at(lead leads) returns timestamptz language sql stable as $$
  select case when lead.imported_at is null then lead.first_captured_at
    else (select min(submitted_at) from submissions s where s.site_id = lead.site_id and s.lead_id = lead.lead_id) end
$$;

-- Whose a visitor's own signup or verification is, when several people left an address in one browser: the lead's who did
-- so last before it, or within ten minutes after it, whichever is nearer. An admin's link counts from the capture on.
create or replace function lead_of_visitor(for_site uuid, for_visitor uuid, at timestamptz) returns uuid
language sql stable set enable_seqscan = off as $$
  select lead_id from (
    select l.lead_id, case when i.link_source = 'form_submit' then i.linked_at else captured_at(l) end as linked_at
    from lead_identities i join leads l on l.site_id = i.site_id and l.lead_id = i.lead_id
    where i.site_id = for_site and i.visitor_id = for_visitor and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
      and (i.ended_at is null or i.ended_at >= at)
  ) theirs
  where linked_at <= at + interval '10 minutes'
  order by abs(extract(epoch from at - linked_at)), lead_id limit 1
$$;

create or replace function gather_lead_facts(for_site uuid, wanted uuid[]) returns setof lead_facts
language sql stable strict rows 100 set enable_seqscan = off set enable_mergejoin = off as $$
  select for_site, l.lead_id, site_day(for_site, captured.at), captured.at, came.source, came.utm_source, came.utm_medium, came.campaign,
    l.domain_class, coalesce(l.verified_at, made.verified_at), made.signed_up_at, made.activated_at,
    case when seen.is_purged and kept.lead_id is not null then kept.hours
      when seen.at is not null then greatest(0, extract(epoch from captured.at - seen.at) / 3600)::float8 end,
    case when kept.lead_id is not null then kept.touches_known_since
      else (select max(ends_at) from rollup_state where site_id = for_site and sealed_at is not null) end
  from leads l
  left join lead_facts kept on kept.site_id = for_site and kept.lead_id = l.lead_id
  cross join lateral (
    select captured_at(l) as at, case when l.imported_at is null then l.first_visitor_id else (
      select i.visitor_id from lead_identities i
      where i.site_id = for_site and i.lead_id = l.lead_id and i.link_source = 'form_submit' and i.unlinked_at is null
      order by i.linked_at, i.visitor_id limit 1) end as visitor_id
    offset 0
  ) captured
  cross join lateral (
    select l.first_source as source, l.first_utm ->> 'source' as utm_source, l.first_utm ->> 'medium' as utm_medium,
      l.first_utm ->> 'campaign' as campaign, 1 as choice where l.imported_at is null
    -- an import does not know how the person came to the form later; once found it is kept, since sessions are purged
    union all select kept.source, kept.utm_source, kept.utm_medium, kept.campaign, 2 where l.imported_at is not null and kept.source <> 'direct'
    union all (
      select s.source, s.utm ->> 'source', s.utm ->> 'medium', s.utm ->> 'campaign', 3 from sessions s
      where l.imported_at is not null and s.site_id = for_site and s.visitor_id = captured.visitor_id and not s.is_bot and not s.privacy_signal
        and s.started_at <= captured.at
      order by s.started_at limit 1)
    union all select 'direct', null, null, null, 4
    order by choice limit 1
  ) came
  left join lateral (
    -- a visit that began under a signal (GPC) is tied to nobody: since the first that did not
    select case when earliest.privacy_signal then (
        select min(s.started_at) from sessions s
        where s.site_id = for_site and s.visitor_id = v.visitor_id and not s.is_bot and not s.privacy_signal
          and s.started_at <= captured.at)
      else v.first_human_at end as at,
      -- what was known of the first visit stays known, and so does that it was nobody's
      v.first_human_at is not null and earliest.privacy_signal is null as is_purged
    from visitors v
    left join lateral (
      select s.privacy_signal from sessions s
      where s.site_id = for_site and s.visitor_id = v.visitor_id and not s.is_bot and s.started_at <= v.first_human_at
      order by s.started_at limit 1
    ) earliest on true
    where v.site_id = for_site and v.visitor_id = captured.visitor_id
      and exists (select from lead_identities i where i.site_id = for_site and i.lead_id = l.lead_id and i.visitor_id = v.visitor_id
        and i.link_source = 'form_submit' and i.unlinked_at is null)
    offset 0
  ) seen on true
  cross join lateral (
    select min(occurred_at) filter (where kind = 'signup' and occurred_at >= captured.at - interval '10 minutes') as signed_up_at,
      min(occurred_at) filter (where kind = 'activation' and occurred_at >= captured.at - interval '10 minutes') as activated_at,
      min(occurred_at) filter (where kind = 'email_verify' and occurred_at >= captured.at) as verified_at
    from (
      select kind, occurred_at from conversions c where c.site_id = for_site and c.lead_id = l.lead_id and c.voided_at is null
      union all
      select kind, occurred_at
      from (
        select distinct visitor_id from lead_identities i
        where i.site_id = for_site and i.lead_id = l.lead_id and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
        offset 0
      ) linked
      cross join lateral (
        -- told by an address, it is that person's, whoever sat at the browser
        select * from conversions c where c.site_id = for_site and c.visitor_id = linked.visitor_id
          and c.lead_id is null and c.email_hash is null and c.voided_at is null offset 0
      ) c
      where l.lead_id = coalesce(
        -- the button in a mail: the event has the opt-in's id, and is of whom the mail was for
        case when c.kind = 'email_verify' and c.origin = 'browser' then (
          select o.lead_id from opt_ins o where o.site_id = for_site and o.opt_in_id = c.conversion_id::uuid) end,
        -- what a browser tells under a signal (GPC) is nobody's
        case when not c.privacy_signal then lead_of_visitor(for_site, c.visitor_id, c.occurred_at) end)
      offset 0
    ) told
  ) made
  where l.site_id = for_site and l.lead_id = any (wanted) and captured.at is not null
$$;
comment on function gather_lead_facts is 'facts of these leads of a site, gathered from their sources; none for one that was only imported; see src/product/metrics/gather_lead_facts.sql';

-- The human sessions of these leads' browsers, but for those that began under a signal (GPC), and those of sealed days that were kept when their sessions were purged.
-- At most 500 a lead, the newest: a browser that visits for years is a member of staff.
create or replace function gather_lead_touches(for_site uuid, wanted uuid[]) returns setof lead_touches
language sql stable strict rows 300 set enable_seqscan = off set enable_mergejoin = off as $$
  with sealed as materialized (
    select coalesce(max(ends_at), '-infinity') as until from rollup_state where site_id = for_site and sealed_at is not null
  ), linked as materialized (
    select i.lead_id, i.visitor_id, case when bool_or(i.ended_at is null) then 'infinity' else max(i.ended_at) end as ended_at from lead_identities i
    where i.site_id = for_site and i.lead_id = any (wanted) and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
    group by 1, 2
  )
  select for_site, lead_id, session_id, visitor_id, started_at, source, utm_source, utm_medium, campaign, is_weak
  from (
    select *, row_number() over (partition by lead_id order by started_at desc, session_id) as nth from (
      select linked.lead_id, s.session_id, s.visitor_id, s.started_at, s.source, s.utm ->> 'source' as utm_source,
        s.utm ->> 'medium' as utm_medium, s.utm ->> 'campaign' as campaign, s.source in ('direct', 'internal', 'carried') or s.is_carried as is_weak
      from linked
      cross join lateral (
        select * from sessions s where s.site_id = for_site and s.visitor_id = linked.visitor_id and s.source <> 'internal' and not s.is_bot
          and not s.privacy_signal -- tied to nobody
          and s.started_at <= linked.ended_at offset 0
      ) s
      union all
      select linked.lead_id, t.session_id, t.visitor_id, t.started_at, t.source, t.utm_source, t.utm_medium, t.campaign, t.is_weak
      from linked cross join sealed
      cross join lateral (
        select * from lead_touches t where t.site_id = for_site and t.lead_id = linked.lead_id and t.visitor_id = linked.visitor_id
          and t.started_at < sealed.until offset 0
      ) t
      where not exists (select from sessions s where s.site_id = for_site and s.session_id = t.session_id)
    ) each
  ) ranked where nth <= 500
$$;
comment on function gather_lead_touches is 'touches of these leads of a site; see src/product/metrics/gather_lead_facts.sql';

-- Marks the leads whose kept touches of this stretch of time are no longer what the sessions say: sessions mark nobody
-- themselves, since most of them are nobody's. Called when the day has been counted.
--
-- visitors  whose leads are looked at
-- all_kept  and every lead that has touches of then
drop function if exists mark_moved_touches(uuid, timestamptz, timestamptz, uuid[]);
create or replace function mark_moved_touches(for_site uuid, starts timestamptz, ends timestamptz, visitors uuid[], all_kept boolean) returns void
language sql set enable_seqscan = off as $$
  with concerned as materialized (
    select lead_id from lead_touches t where all_kept and site_id = for_site and started_at >= starts and started_at < ends
      and exists (select from leads l where l.site_id = for_site and l.lead_id = t.lead_id)
    union
    select i.lead_id from lead_identities i
    where i.site_id = for_site and i.visitor_id = any (visitors) and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
  ), kept as materialized (
    select t.* from concerned c
    cross join lateral (
      select * from lead_touches t where t.site_id = for_site and t.lead_id = c.lead_id and t.started_at >= starts and t.started_at < ends offset 0
    ) t
  ), told as materialized (
    select t.* from (select array_agg(c.lead_id) as leads from concerned c join lead_facts f on f.site_id = for_site and f.lead_id = c.lead_id) all_of_them
    cross join lateral gather_lead_touches(for_site, leads) t
    where t.started_at >= starts and t.started_at < ends
  )
  insert into dirty_leads (site_id, lead_id)
  select distinct for_site, lead_id from (
    (select * from told except select * from kept) union all (select * from kept except select * from told)
  ) moved
$$;

-- Which leads are marked. A visitor's mark is looked up now, so that a link which was on its way counts. The facts of a lead
-- that ended stay as they are: it has no sources any more.
create or replace function marked_leads(for_site uuid, from_marks bigint[]) returns setof uuid
language sql stable rows 10 set enable_seqscan = off as $$
  select lead_id from dirty_leads d where site_id = for_site and lead_id is not null and (from_marks is null or mark_id = any (from_marks))
    and exists (select from leads l where l.site_id = for_site and l.lead_id = d.lead_id)
  union
  select i.lead_id from dirty_leads d join lead_identities i on i.site_id = d.site_id and i.visitor_id = d.visitor_id
  where d.site_id = for_site and d.visitor_id is not null and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
    and (from_marks is null or d.mark_id = any (from_marks))
$$;

-- Brings the facts and touches of marked leads up to date. Marks are read before their sources and exactly those are removed: what
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
    verified_at = excluded.verified_at, signed_up_at = excluded.signed_up_at, activated_at = excluded.activated_at, hours = excluded.hours,
    touches_known_since = excluded.touches_known_since
  where f is distinct from excluded;
  with gathered as materialized (
    select t.* from gather_lead_touches(for_site, wanted) t join lead_facts f on f.site_id = for_site and f.lead_id = t.lead_id
  ), gone as (
    delete from lead_touches t where t.site_id = for_site and t.lead_id = any (wanted)
      and not exists (select from gathered g where g.lead_id = t.lead_id and g.session_id = t.session_id)
  )
  insert into lead_touches as t select * from gathered order by lead_id, session_id
  on conflict (site_id, lead_id, session_id) do update
  set visitor_id = excluded.visitor_id, started_at = excluded.started_at, source = excluded.source, utm_source = excluded.utm_source,
    utm_medium = excluded.utm_medium, campaign = excluded.campaign, is_weak = excluded.is_weak
  where t is distinct from excluded;
  perform refresh_lead_credits(for_site, wanted);
  delete from dirty_leads where site_id = for_site and mark_id = any (marks);
  return cardinality(marks);
end $$;
comment on function refresh_lead_facts is 'gathers the facts of marked leads anew; see src/product/metrics/gather_lead_facts.sql';
