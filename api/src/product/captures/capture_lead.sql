-- Stores one capture in one round trip: visitor, session and form_submit event (ingest_events), lead, identity and
-- heuristic links, submission, consent record, mail to send. Also releases a quarantined one, and replays a journalled one.
--
-- Whoever writes about one address (capture, erasure, unsubscribe by address) first takes that address's advisory lock;
-- then come the tables of ingest_events in their order, then leads and what hangs on it.
--
-- capture    see Capture in capture.ts, which makes it
-- returns    {leadId, visitorId, sessionId, outcome: stored | duplicate | quarantined | erased, told: its number in the outbox}
create or replace function capture_lead(capture json)
returns json language plpgsql set enable_seqscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  c record;
  site uuid;
  at timestamptz(3);
  address text;
  submission uuid;
  no_tracking boolean;
  links boolean; -- to what its browser did
  by_consent boolean; -- only while the lead agrees to that
  is_release boolean;
  suspicious boolean;
  consent json;
  stored record;
  event json;
  event_owner uuid;
  seen_before boolean := false;
  lead leads;
  is_new boolean;
  tied boolean;
  status text;
  has_review boolean := false;
  told bigint;
begin
  -- Read once: every capture ->> 'field' would parse the whole text again (seventy times: a third of the capture's CPU).
  select * into c from json_to_record(capture) as c (site_id uuid, lead_id uuid, submission_id uuid, received_at timestamptz(3),
    email text, email_normalized text, email_domain text, domain_class text, email_hash bytea, unsubscribe_key text, event json,
    body_key uuid, inactivity interval, form_name text, path text, referrer text, source text, source_channel text, utm jsonb,
    payload jsonb, privacy_signal boolean, ip_hash bytea, ua_hash bytea, heuristics boolean, window_minutes integer,
    links boolean, links_by_consent boolean, spam_score real, suspicions text[], consent json, display json, review json, is_release boolean, fields jsonb);
  site := c.site_id;
  at := c.received_at;
  address := c.email_normalized;
  submission := c.submission_id;
  no_tracking := c.privacy_signal;
  is_release := coalesce(c.is_release, false);
  suspicious := not is_release and cardinality(c.suspicions) > 0;
  consent := c.consent;
  event := c.event;
  -- journalled or held back before it said so
  links := coalesce(c.links, true);
  by_consent := coalesce(c.links_by_consent, (select settings ->> 'linking' = 'consent' from sites where site_id = site), false);

  perform set_config('marketing.sites', site::text, true);
  perform pg_advisory_xact_lock(hashtextextended(site::text || ' ' || address, 7));

  -- Began before an erasure of this address: it is as if it had been stored and then erased. An erasure that is still to come
  -- was dated by a clock that was ahead: it was before this, or it would wait for the lock too.
  if exists (select from erasures where site_id = site and email_hash = c.email_hash and erased_at between at and now() + interval '1 minute') then
    perform count_capture(site, at, 'rejected', 'erased');
    return json_build_object('leadId', c.lead_id, 'visitorId', coalesce(event ->> 'visitor_id', null),
      'sessionId', case when event is not null then uuidv7() end, 'outcome', 'erased');
  end if;
  -- Journalled, and its first try had committed after all.
  if not is_release and (exists (select from submissions where site_id = site and submission_id = submission)
      or exists (select from quarantine where site_id = site and quarantine_id = submission)) then
    select l.* into lead from submissions s join leads l using (site_id, lead_id) where s.site_id = site and s.submission_id = submission;
    return json_build_object('leadId', coalesce(lead.lead_id, c.lead_id), 'visitorId', event ->> 'visitor_id',
      'sessionId', null, 'outcome', 'duplicate');
  end if;

  if is_release then
    select k.visitor_id, e.session_id, k.event_id, false as duplicate into stored
    from event_keys k
    left join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
    where k.site_id = site and k.event_id = (event ->> 'event_id')::uuid;
    perform judge_event(site, stored.event_id, null, 'spam', c.inactivity);
    select e.session_id into stored.session_id from event_keys k
    join events e on e.site_id = k.site_id and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
    where k.site_id = site and k.event_id = stored.event_id;
  elsif event is not null then
    -- An id that another visitor has used is not this submission's, whoever sends it.
    select visitor_id into event_owner from event_keys where site_id = site and event_id = (event ->> 'event_id')::uuid;
    if event_owner <> (event ->> 'visitor_id')::uuid and event_owner is distinct from (event ->> 'day_before')::uuid then
      event := (event::jsonb || jsonb_build_object('event_id', uuidv7()))::json;
    end if;
    -- An origin alone is no page: the page the visitor looked at last is where the form was.
    if event ->> 'path' = '(unknown)' then
      event := (event::jsonb || jsonb_build_object('path', coalesce((select path from events
        where site_id = site and visitor_id = (event ->> 'visitor_id')::uuid and event_type = 'page_view'
          and occurred_at between at - c.inactivity and at
        order by occurred_at desc limit 1), '(unknown)')))::json;
    end if;
    select * into stored from ingest_events(array[json_populate_record(null::arrived_event, event)], '[]', c.inactivity, site::text);
    seen_before := stored.duplicate;
    if suspicious and seen_before then
      -- its own browser told of it first
      perform judge_event(site, stored.event_id, 'spam', null, c.inactivity);
    end if;
    -- The browser told of it first, and took its form for a search or a sign-in. As long as its raw row is there.
    if seen_before then
      with told as (
        update events e set props = e.props || '{"role": "lead"}' from event_keys k
        where k.site_id = site and k.event_id = stored.event_id and e.site_id = site and e.visitor_id = k.visitor_id
          and e.occurred_at = k.occurred_at and e.event_id = k.event_id and e.event_type = 'form_submit'
          and e.props ->> 'role' in ('search', 'signin')
        returning e.visitor_id, e.occurred_at
      )
      -- the day before too: a session across midnight belongs to it
      insert into dirty_visits (site_id, since, until, visitor_ids)
      select site, site_day_starts(site, site_day(site, occurred_at)) - interval '1 ms', occurred_at, array[visitor_id] from told;
    end if;
    -- the browser's own form_submit knew the page
    if c.path is null and seen_before then
      select nullif(e.path, '(unknown)') into c.path from event_keys k join events e on e.site_id = k.site_id
        and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id
      where k.site_id = site and k.event_id = stored.event_id;
      consent := (consent::jsonb || jsonb_build_object('page', c.path))::json;
    end if;
  else
    -- no browser id: the same form again within 30 s is the same submission
    insert into recent_bodies as known (site_id, body_key, event_id, seen_at)
    values (site, c.body_key, submission, now())
    on conflict (site_id, body_key) do update set event_id = excluded.event_id, seen_at = excluded.seen_at
    where known.seen_at <= excluded.seen_at - interval '30 seconds';
    seen_before := not found;
    perform count_capture(site, at, case when seen_before then 'duplicate' else 'accepted' end, '');
    select null::uuid as visitor_id, null::uuid as session_id, null::uuid as event_id, seen_before as duplicate into stored;
  end if;

  if suspicious then
    insert into quarantine (site_id, quarantine_id, received_at, email_normalized, capture, score, reasons, event_id)
    values (site, submission, at, address,
      (capture::jsonb || jsonb_build_object('event', event::jsonb))::json, c.spam_score,
      c.suspicions, stored.event_id);
    return json_build_object('leadId', c.lead_id, 'visitorId', stored.visitor_id, 'sessionId', stored.session_id,
      'outcome', 'quarantined');
  end if;

  -- The visitor's first session we still have is the first touch, or, of a lead that is tied to nothing (or not before it is
  -- known what stands, or under a signal), the form's own; the capture's own facts stand in where there is none.
  insert into leads as l (site_id, lead_id, email, email_normalized, email_domain, domain_class, first_captured_at,
    last_submitted_at, first_source, first_utm, first_path, first_referrer, first_form_name, source_channel, first_visitor_id,
    privacy_signal, unsubscribe_key, attributes)
  select site, c.lead_id, c.email, address, c.email_domain, c.domain_class,
    at, at, coalesce(touch.source, c.source),
    case when touch.source is not null then touch.utm else c.utm end,
    coalesce(nullif(touch.landing_path, '(unknown)'), c.path),
    case when touch.source is not null then touch.referrer else c.referrer end,
    c.form_name, c.source_channel, case when links and not by_consent and not no_tracking then stored.visitor_id end, no_tracking,
    c.unsubscribe_key, c.fields
  from (select) one left join first_touch_of(site, stored.visitor_id, stored.session_id, links and not by_consent and not no_tracking) touch on true
  on conflict (site_id, email_normalized) do update set last_submitted_at = greatest(l.last_submitted_at, excluded.last_submitted_at),
    privacy_signal = l.privacy_signal or excluded.privacy_signal,
    -- what was said last holds, in whatever order it arrives
    attributes = case when excluded.attributes is null then l.attributes
      when excluded.last_submitted_at >= l.last_submitted_at then coalesce(l.attributes, '{}') || excluded.attributes
      else excluded.attributes || coalesce(l.attributes, '{}') end
  returning * into lead;
  is_new := lead.lead_id = c.lead_id;

  if is_new then
    perform recall_withdrawal(site, lead.lead_id, c.email_hash);
  end if;

  -- A second form of the same submission (double click, resend) adds nothing.
  if not (seen_before and exists (select from submissions s where s.site_id = site and s.lead_id = lead.lead_id
      and (s.event_id = stored.event_id or (stored.event_id is null and s.body_key = c.body_key)))) then
    insert into submissions (site_id, submission_id, lead_id, event_id, body_key, form_name, path, source_channel, payload, submitted_at, spam_score)
    values (site, submission, lead.lead_id, stored.event_id, c.body_key, c.form_name, c.path,
      c.source_channel, c.payload, at, c.spam_score)
    on conflict do nothing;
    if json_typeof(c.review) = 'object' then
      has_review := record_review(site, lead.lead_id, c.review);
    end if;
  end if;

  status := take_consent(site, lead.lead_id, consent, at);
  if json_typeof(c.display) = 'object' then
    perform record_display(site, lead.lead_id, c.display);
  end if;
  if is_new then
    perform adopt_conversions(site, lead.lead_id, c.email_hash, at);
  end if;

  -- What stands now decides, not what the form asked for: that may wait for its words, or for its confirmation.
  tied := links and not lead.no_profiling and not lead.restricted and left_at(site, lead.lead_id) is null
    and (not by_consent or agrees_to_ties(site, lead.lead_id));
  if is_new and tied is distinct from (links and not by_consent) then
    update leads l set first_source = coalesce(touch.source, c.source),
      first_utm = case when touch.source is not null then touch.utm else c.utm end,
      first_path = coalesce(nullif(touch.landing_path, '(unknown)'), c.path),
      first_referrer = case when touch.source is not null then touch.referrer else c.referrer end,
      first_visitor_id = case when tied and not no_tracking then stored.visitor_id end
    from (select) one left join first_touch_of(site, stored.visitor_id, stored.session_id, tied and not no_tracking) touch on true
    where l.site_id = site and l.lead_id = lead.lead_id
    returning l.* into lead;
  end if;
  if stored.visitor_id is not null and tied and not no_tracking
      and tie_to_visitor(site, lead.lead_id, stored.visitor_id, at, coalesce((event ->> 'is_day_visitor')::boolean, false)) then
    if c.heuristics and not seen_before and not coalesce((event ->> 'is_day_visitor')::boolean, false) then
      -- Behind one address and browser name of a whole office or carrier nobody is anybody's neighbour: over 200 of them
      -- no link is made (it would be worth 0.002), and no more than 201 are looked at (34 000 took 2.9 s a capture).
      with close_by as materialized (
        select v.visitor_id, v.last_seen_at
        from visitors v
        where v.site_id = site and v.ip_hash = c.ip_hash and v.ua_hash = c.ua_hash and v.is_linkable
          and v.visitor_id <> stored.visitor_id and not v.privacy_signal
          and v.last_seen_at between at - make_interval(mins => c.window_minutes) and at + interval '5 minutes'
        limit 201
      ), neighbours as (
        select v.visitor_id, greatest(extract(epoch from at - v.last_seen_at), 0) / 60 as age, count(*) over () as fan_out
        from close_by v
        where (select count(*) from close_by) <= 200
          and exists (select from events e where e.site_id = site and e.visitor_id = v.visitor_id and e.bot_reason is null
            and e.occurred_at >= at - make_interval(mins => c.window_minutes))
          -- known already, on better evidence than an address
          and not exists (select from lead_identities i where i.site_id = site and i.visitor_id = v.visitor_id
            and (i.lead_id = lead.lead_id or (i.unlinked_at is null and i.link_source <> 'same_ip_ua_window')))
      )
      insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
      select site, lead.lead_id, visitor_id, 'same_ip_ua_window',
        heuristic_confidence(age, fan_out, c.window_minutes), at
      from neighbours order by age, visitor_id limit 20
      on conflict (site_id, lead_id, visitor_id, link_source) where unlinked_at is null do nothing;
    end if;
  end if;

  if not seen_before then
    told := tell_others(site, 'lead.captured', jsonb_build_object('leadId', lead.lead_id,
      'isNew', is_new, 'formName', c.form_name, 'path', c.path, 'source', lead.first_source, 'capturedAt', instant_text(at)), lead.lead_id);
  end if;
  if has_review then
    told := coalesce(tell_others(site, 'review.submitted', jsonb_build_object('reviewId', c.review ->> 'review_id', 'leadId', lead.lead_id,
      'rating', (c.review ->> 'rating')::integer, 'writtenAt', instant_text(at)), lead.lead_id), told);
  end if;
  return json_build_object('leadId', lead.lead_id, 'visitorId', stored.visitor_id, 'sessionId', stored.session_id,
    'outcome', case when seen_before then 'duplicate' else 'stored' end, 'told', told);
end $$;
comment on function capture_lead is 'stores a capture; see src/product/leads/capture_lead.sql';
