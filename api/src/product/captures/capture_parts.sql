-- What capture_lead leans on: the ledger line of a capture without an event, how far a neighbour or a day visitor may be
-- trusted, what a new lead was told to have done before, and a first touch that became known later.

-- outcome  accepted, duplicate or rejected (with its reason); received is counted with it
create or replace function count_capture(for_site uuid, at timestamptz, as_outcome text, because text) returns void language sql as $$
  insert into ingest_ledger as l (site_id, day, outcome, reason, count)
  select for_site, (at at time zone 'UTC')::date, outcome, case outcome when 'rejected' then because else '' end, 1
  from unnest(array['received', as_outcome]) as o (outcome) order by 3, 4
  on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + 1
$$;

-- 0.45 × 2^(−3 × age / window) ÷ fan_out, never under 0.001.
-- 0.45: an address and a browser name in common are weaker than a coin toss, since offices, carriers and popular phones
-- share both. Halved three times over the window: whoever left a form minutes ago is likelier to be back than someone
-- from a quarter of an hour ago. Divided by fan_out: of n visitors who look alike at most one is this person's other
-- browser profile, and nothing tells which.
create or replace function heuristic_confidence(age_minutes numeric, fan_out bigint, window_minutes integer) returns real
language sql immutable
return greatest(round(0.45 * power(2, -3.0 * least(age_minutes, window_minutes) / window_minutes) / greatest(fan_out, 1), 4), 0.001)::real;

-- A form sent by a day visitor: 0.9, because two people behind one address with one browser name are one day visitor; by
-- the same measure shared out, when several people left their address from there.
create or replace function share_out_day_visitor(for_site uuid, for_visitor uuid) returns void language sql as $$
  update lead_identities i set confidence = (0.9 / sharing.leads)::real
  from (
    select count(distinct lead_id) as leads from lead_identities
    where site_id = for_site and visitor_id = for_visitor and link_source = 'form_submit' and unlinked_at is null
  ) sharing
  where i.site_id = for_site and i.visitor_id = for_visitor and i.link_source = 'form_submit' and i.unlinked_at is null
    and i.confidence is distinct from (0.9 / sharing.leads)::real
$$;

-- How a lead came: the visitor's first human session that is still there, none that began under a signal but the form's own; or
-- of them that one alone.
create or replace function first_touch_of(for_site uuid, for_visitor uuid, of_session uuid, is_any boolean) returns setof sessions
language sql stable as $$
  select * from sessions s
  where s.site_id = for_site and s.visitor_id = for_visitor and not s.is_bot and ((is_any and not s.privacy_signal) or s.session_id = of_session)
  order by s.started_at limit 1
$$;

-- Ties a lead to the visitor that sent its form. Undone, by hand or by an objection, a link is not made again; one that ended
-- stays so. returns whether the two may be tied
create or replace function tie_to_visitor(for_site uuid, for_lead uuid, for_visitor uuid, at timestamptz, is_day_visitor boolean)
returns boolean language plpgsql as $$
begin
  if exists (select from lead_identities i where i.site_id = for_site and i.lead_id = for_lead and i.visitor_id = for_visitor
      and i.link_source = 'form_submit' and i.unlinked_at is not null) then
    return false;
  end if;
  insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
  values (for_site, for_lead, for_visitor, 'form_submit', 1, at)
  on conflict (site_id, lead_id, visitor_id, link_source) where unlinked_at is null do nothing;
  if is_day_visitor then
    perform share_out_day_visitor(for_site, for_visitor);
  end if;
  return true;
end $$;

-- Events may come, or be judged, after the capture: the first touch is the visitor's first human session all the same (as
-- first_touch_of has it), as long as the first of all is still kept: else an earlier one was purged. Whoever has one of the leads in hand is not waited for (they lock in the other order); its mark
-- brings it here again.
create or replace function renew_first_touches(for_site uuid, wanted uuid[]) returns void language plpgsql as $$
begin
  with free as (
    select lead_id, first_visitor_id, first_captured_at from leads
    where site_id = for_site and lead_id = any (wanted) and first_visitor_id is not null order by lead_id for update skip locked
  )
  update leads l set first_source = touch.source, first_utm = touch.utm, first_path = touch.landing_path, first_referrer = touch.referrer
  from free
  cross join lateral (
    select s.source, s.utm, s.landing_path, s.referrer from sessions s
    where s.site_id = for_site and s.visitor_id = free.first_visitor_id and not s.is_bot
      and (not s.privacy_signal and s.started_at <= free.first_captured_at or s.session_id = (
        select e.session_id from submissions f
        join event_keys k on k.site_id = f.site_id and k.event_id = f.event_id
        join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
        where f.site_id = for_site and f.lead_id = free.lead_id order by f.submitted_at limit 1))
    order by s.started_at limit 1
  ) touch
  where l.site_id = for_site and l.lead_id = free.lead_id
    and exists (select from visitors v join sessions s on s.site_id = v.site_id and s.visitor_id = v.visitor_id and not s.is_bot
      and s.started_at <= v.first_human_at where v.site_id = for_site and v.visitor_id = free.first_visitor_id)
    and (l.first_source, l.first_utm, l.first_path, l.first_referrer)
      is distinct from (touch.source, touch.utm, touch.landing_path, touch.referrer);
end $$;

-- Conversions that were told by this address before it was a lead's become the lead's. For numbers they count from the
-- capture on, as all do. A purchase made since then is implied consent, as if it had been told now; an earlier one is
-- not: nobody is mailed on what was told of somebody whom we did not know.
-- Under the address's lock.
create or replace function adopt_conversions(for_site uuid, for_lead uuid, for_hash bytea, captured_at timestamptz) returns void
language plpgsql set enable_seqscan = off as $$
begin
  if not exists (select from conversions where site_id = for_site and email_hash = for_hash) then
    return;
  end if;
  update conversions set lead_id = for_lead, email_hash = null where site_id = for_site and email_hash = for_hash;
  perform record_consent(for_site, for_lead, json_build_object('status', 'implied', 'kind', 'implied_purchase', 'basis', 'purchase',
    'source', 'server', 'occurred_at', occurred_at))
  from (select occurred_at from conversions where site_id = for_site and lead_id = for_lead and kind = 'purchase'
    and occurred_at >= captured_at order by occurred_at) bought;
end $$;
