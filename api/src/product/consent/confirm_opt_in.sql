-- The second step of a double opt-in, in one round trip: email_verify event, consent record, verified address.
-- Safe to call again with the same request, and late: a confirmation is judged by when it arrived.
--
-- confirmation  site_id, token (of the opt-in), at (arrival), valid_days, inactivity, ip_hash, ua_hash, privacy_signal,
--               event: the email_verify event without its visitor and id
-- returns  confirmed | expired (too old, or withdrawn since) | unknown
create or replace function confirm_opt_in(confirmation json)
returns text language plpgsql set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  site constant uuid := confirmation ->> 'site_id';
  at constant timestamptz(3) := confirmation ->> 'at';
  lead leads;
  asked opt_ins;
begin
  perform set_config('marketing.sites', site::text, true);
  select l.* into lead from opt_ins o join leads l using (site_id, lead_id) where o.site_id = site and o.token = confirmation ->> 'token';
  if not found then
    return 'unknown';
  end if;
  -- The address first, then its lead, as captures and erasures do: none of them may be half way through. Whoever
  -- withdraws by a link holds only the lead.
  perform pg_advisory_xact_lock(hashtextextended(site::text || ' ' || lead.email_normalized, 7));
  select * into lead from leads where site_id = site and lead_id = lead.lead_id for update;
  select * into asked from opt_ins where site_id = site and token = confirmation ->> 'token';
  if asked.opt_in_id is null then
    return 'unknown';
  elsif asked.confirmed_at is not null then
    return 'confirmed';
  elsif asked.cancelled_at is not null or asked.requested_at < at - make_interval(days => (confirmation ->> 'valid_days')::integer) then
    return 'expired';
  end if;
  if lead.first_visitor_id is not null then
    -- by the opt-in's id: however often it is confirmed or replayed, it is one event
    perform ingest_events(array[jsonb_populate_record(null::arrived_event, (confirmation -> 'event')::jsonb || jsonb_build_object('site_id', site,
      'event_id', asked.opt_in_id, 'visitor_id', lead.first_visitor_id, 'received_at', confirmation ->> 'at', 'follows', true))], '[]',
      (confirmation ->> 'inactivity')::interval, site::text);
  end if;
  update opt_ins set confirmed_at = at where site_id = site and opt_in_id = asked.opt_in_id;
  perform record_consent(site, lead.lead_id, (asked.request::jsonb || jsonb_build_object('status', 'express', 'basis', 'double_opt_in',
    'occurred_at', confirmation ->> 'at', 'asked_at', asked.requested_at, 'ip_hash', confirmation ->> 'ip_hash', 'ua_hash', confirmation ->> 'ua_hash',
    'privacy_signal', (confirmation ->> 'privacy_signal')::boolean))::json);
  update leads set verified_at = coalesce(verified_at, at) where site_id = site and lead_id = lead.lead_id;
  perform tie_as_confirmed(site, lead, asked, coalesce((confirmation ->> 'privacy_signal')::boolean, false));
  return 'confirmed';
end $$;
-- Where a site ties by consent, what was confirmed may be just that: then the browser whose form asked for it is tied now. How
-- the lead came stays what was known at the form.
create or replace function tie_as_confirmed(for_site uuid, lead leads, asked opt_ins, privacy_signal boolean) returns void language plpgsql as $$
declare
  form record;
begin
  if privacy_signal or coalesce((asked.request ->> 'privacy_signal')::boolean, false) or lead.no_profiling or lead.restricted
      or not 'profile' = any (purposes_of(asked.request))
      or not exists (select from sites where site_id = for_site and settings ->> 'linking' = 'consent')
      or left_at(for_site, lead.lead_id) is not null or not agrees_to_ties(for_site, lead.lead_id) then
    return;
  end if;
  select v.visitor_id, v.is_day_visitor into form from submissions s
  join event_keys k on k.site_id = s.site_id and k.event_id = s.event_id
  join visitors v on v.site_id = k.site_id and v.visitor_id = k.visitor_id
  where s.site_id = for_site and s.lead_id = lead.lead_id and s.submitted_at = asked.requested_at limit 1;
  if found then
    perform tie_to_visitor(for_site, lead.lead_id, form.visitor_id, asked.requested_at, form.is_day_visitor);
  end if;
end $$;

comment on function confirm_opt_in is 'confirms an address; see src/product/consent/confirm_opt_in.sql';
