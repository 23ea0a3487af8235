-- What a form says about consent: recorded at once, or asked for again by mail where the site wants two steps.

-- consent  as record_consent takes it, and double_opt_in, token (of the link in the mail)
-- at       when the form arrived
-- returns  the lead's status for email
create or replace function take_consent(for_site uuid, for_lead uuid, consent json, at timestamptz)
returns text language plpgsql as $$
declare
  words consent_texts;
  open_purposes text[];
  asked jsonb;
  status text;
begin
  if not coalesce((consent ->> 'double_opt_in')::boolean, false) or consent ->> 'status' is distinct from 'express' then
    return record_consent(for_site, for_lead, consent);
  end if;
  words := consent_words(for_site, (consent ->> 'text_id')::uuid, consent ->> 'words', consent ->> 'language');
  if words.text_id is null then
    return record_consent(for_site, for_lead, consent);
  end if;
  -- what stands already in the same words needs no second step again
  open_purposes := array(select named from unnest(purposes_of(consent)) as p (named)
    cross join lateral consent_standing(for_site, for_lead, named) s
    where s.status is distinct from 'express' or not is_same_consent(s, words.words_hash, consent ->> 'policy_version'));
  if open_purposes = '{}' then
    return (select consent_at(consent_status, consent_expires_at, now()) from leads where site_id = for_site and lead_id = for_lead);
  end if;
  asked := consent::jsonb - 'token' - 'double_opt_in' || jsonb_build_object('purposes', open_purposes);
  status := record_consent(for_site, for_lead, (asked || '{"status": "pending", "is_asking": true}')::json);
  -- One mail in ten minutes for the same, five a day, however often the form is sent. Who confirmed or left since the last
  -- one is someone who asks anew.
  if (select count(*) filter (where o.requested_at > at - interval '10 minutes' and o.confirmed_at is null and o.cancelled_at is null
        and o.request ->> 'words' is not distinct from asked ->> 'words' and o.request ->> 'text_id' is not distinct from asked ->> 'text_id'
        and o.request ->> 'policy_version' is not distinct from asked ->> 'policy_version'
        and purposes_of(o.request) @> open_purposes) = 0 and count(*) < 5
      from opt_ins o where o.site_id = for_site and o.lead_id = for_lead and o.requested_at > at - interval '1 day') then
    with request as (
      insert into opt_ins (site_id, lead_id, token, requested_at, request)
      values (for_site, for_lead, consent ->> 'token', at, asked::json) returning opt_in_id
    )
    insert into outgoing_mails (site_id, lead_id, kind, opt_in_id, asked_by)
    select for_site, for_lead, 'confirm', opt_in_id, (consent ->> 'ip_hash')::bytea from request;
  end if;
  return status;
end $$;

-- An address that unsubscribed while it was nobody's: whoever it becomes is bound by that, if they agreed to nothing since;
-- and so of being named, or of a review. So is who has an address that another lead was corrected from: what that one took back
-- stands of all its addresses, or a list from before would bring them back. Under the address's lock: of a new lead before anything is taken of what they said.
create or replace function recall_withdrawal(for_site uuid, for_lead uuid, for_hash bytea) returns void language plpgsql
set enable_seqscan = off as $$
declare
  told record;
begin
  for told in
    -- dated by a clock that was ahead: it was before this all the same
    select purpose, of_display, max(at) as at from (
      select purpose, purpose = 'display' as of_display, case when requested_at > now() + interval '1 minute' then now() - interval '1 minute' else requested_at end as at
      from withdrawal_requests where site_id = for_site and email_hash = for_hash
      union all
      select w.purpose, w.of_display, w.at from (
        select distinct c.lead_id from lead_rectifications c
        where c.site_id = for_site and c.email_hash = for_hash and c.lead_id <> for_lead) corrected
      cross join lateral (
        select 'all' as purpose, false as of_display, a.occurred_at as at from consent_standing(for_site, corrected.lead_id, 'all') a where a.seq is not null
        union all
        select s.purpose, false, s.since from consent_standings(for_site, corrected.lead_id) s where s.status = 'withdrawn'
        union all
        select 'display', true, l.display_withdrawn_at from leads l
        where l.site_id = for_site and l.lead_id = corrected.lead_id and l.display_withdrawn_at is not null) w
    ) known group by purpose, of_display order by purpose <> 'all', purpose
  loop
    if not told.of_display then
      -- all is asked for by naming nothing: it reaches no consent that was given since
      perform record_consent(for_site, for_lead, json_build_object('status', 'withdrawn', 'basis', 'unsubscribe_request',
        'occurred_at', told.at, 'purposes', case when told.purpose <> 'all' then json_build_array(told.purpose) end));
      continue;
    end if;
    update leads set display_withdrawn_at = greatest(display_withdrawn_at, told.at) where site_id = for_site and lead_id = for_lead;
    -- what a lead allowed before its address was corrected to this one
    if (select d.occurred_at from display_consents d where d.site_id = for_site and d.lead_id = for_lead order by d.seq desc limit 1) <= told.at then
      perform record_display(for_site, for_lead, json_build_object('show', false, 'basis', 'request', 'occurred_at', told.at));
    end if;
  end loop;
end $$;
