-- The consent ledger: one record appended for each purpose that a request really says something new about, chained to the
-- one before.

-- The words of a request: published ones by their id, else exactly as sent along; null when there are none.
-- What a form sent along goes when no proof shows it any more, by the purge or an erasure: not while this record is being
-- made. Both lock the row before they look whether it is used; published words stay for ever and need no lock.
create or replace function consent_words(for_site uuid, by_id uuid, sent text, in_language text) returns consent_texts
language plpgsql as $$
declare
  known consent_texts;
begin
  if by_id is not null then
    select * into known from consent_texts where site_id = for_site and text_id = by_id;
    if known.origin = 'form' then
      select * into known from consent_texts where site_id = for_site and text_id = by_id for key share;
    end if;
  end if;
  -- gone, or brought in by somebody else's form, in this moment: two constraints say so, either may be met first
  while known.text_id is null and sent <> '' loop
    select * into known from consent_texts
    where site_id = for_site and words_hash = sha256(convert_to(sent, 'UTF8')) and language = coalesce(in_language, 'und')
    order by origin, version desc limit 1;
    if known.origin = 'form' then
      select * into known from consent_texts where site_id = for_site and text_id = known.text_id for key share;
    elsif known.text_id is null then
      insert into consent_texts (site_id, name, version, language, words, words_hash, origin)
      values (for_site, 'form:' || encode(sha256(convert_to(sent, 'UTF8')), 'hex'), 1, coalesce(in_language, 'und'), sent,
        sha256(convert_to(sent, 'UTF8')), 'form')
      on conflict do nothing returning * into known;
    end if;
  end loop;
  return known;
end $$;

-- The transitions of the contract, for one purpose. returns the action to write down, null: nothing new
--
-- asked       pending implied express withdrawn expired
-- at          when the request arrived; began: when the person asked, where that was before (double opt-in)
-- ends_at     of implied consent
-- standing    the record that decides now; newest: the newest one of this purpose, be it a request
-- is_same     newest is of the same words and policy; says_more: it names words or a policy at all
-- is_awaited  an opt-in waits for its second step: a withdrawal reaches it too
create or replace function consent_action(asked text, basis text, at timestamptz, began timestamptz, ends_at timestamptz,
  standing consent_records, newest consent_records, is_same boolean, says_more boolean, is_awaited boolean, is_asking boolean)
returns text language plpgsql stable as $$
declare
  is_import constant boolean := basis = 'import';
  now_is constant text := coalesce(consent_at(standing.status, standing.expires_at, at), 'none');
begin
  case asked
    when 'withdrawn' then
      return case
        when now_is = 'withdrawn' and (not is_awaited or standing.occurred_at >= at) then null
        -- replayed from a journal: agreed again since
        when now_is = 'express' and standing.occurred_at > at then null
        when is_import then 'imported'
        else 'withdrawn' end;
    when 'expired' then
      return case
        when is_import then case when now_is in ('none', 'pending') then 'imported' end
        when standing.status = 'implied' and standing.expires_at <= at then 'expired' end;
    when 'express' then
      return case
        -- began before the withdrawal: it does not lift it; one that is still to come was dated by a clock that was ahead
        when now_is = 'withdrawn' then case when least(at, began) > standing.occurred_at or standing.occurred_at > now() + interval '1 minute' then 'regranted' end
        when now_is = 'express' then case when not is_same and not (is_import and at <= standing.occurred_at) then 'reaffirmed' end
        when is_import then 'imported'
        when basis = 'double_opt_in' then 'confirmed'
        else 'granted' end;
    when 'implied' then
      return case
        when now_is in ('withdrawn', 'express') then null
        -- another inquiry starts the term anew; on the same day it is the same inquiry
        when now_is = 'implied' then case
          when ends_at > standing.expires_at + interval '1 day' then 'renewed'
          when says_more and not is_same and at >= standing.occurred_at then 'reaffirmed' end
        when is_import then 'imported'
        else 'granted' end;
    else
      return case
        when is_asking then case when newest.action is distinct from 'requested' or not is_same then 'requested' end
        when newest.seq is null then case when is_import then 'imported' else 'not_given' end
        -- beside other words it is another answer, as long as nothing else stands
        when not is_import and now_is in ('none', 'pending') and says_more and not is_same then 'not_given' end;
  end case;
end $$;

-- Appends what `wanted` asks for if the transitions allow it; the lead's row is locked meanwhile.
--
-- wanted   status (pending implied express withdrawn expired), basis, occurred_at (when the request arrived), purposes?
--          (default: email; of a withdrawal: all), asked_at? (when the person asked, of a second step), is_asking? (an
--          express request that waits for one), kind?, words? or text_id?, language?, policy_version?, page?, form_name?,
--          source?, evidence?, sender? {name, address, contact}, ip_hash?, ua_hash?, privacy_signal?, expires_at?
-- returns  the lead's status for email afterwards; null when there is no such lead
create or replace function record_consent(for_site uuid, for_lead uuid, wanted json)
returns text language plpgsql as $$
#variable_conflict use_column
declare
  lead leads;
  w record;
  asked text;
  known_text consent_texts;
  draft consent_records;
  details consent_details;
  purposes text[];
  for_purpose text;
begin
  select * into lead from leads where site_id = for_site and lead_id = for_lead for update;
  if not found then
    return null;
  end if;
  -- once: every wanted ->> 'field' would parse the whole text again
  select * into w from json_to_record(wanted) as w (status text, basis text, kind text, occurred_at timestamptz(3),
    asked_at timestamptz(3), expires_at timestamptz(3), words text, text_id uuid, language text, policy_version text, purposes json,
    page text, form_name text, source text, evidence text, sender json, ip_hash bytea, ua_hash bytea, privacy_signal boolean,
    is_asking boolean);
  asked := w.status;
  draft.site_id := for_site;
  draft.lead_id := for_lead;
  draft.basis := w.basis;
  draft.occurred_at := coalesce(w.occurred_at, now()::timestamptz(3));
  draft.privacy_signal := coalesce(w.privacy_signal, false);
  known_text := consent_words(for_site, w.text_id, w.words, w.language);
  draft.text_hash := known_text.words_hash;
  -- Express consent without the words that were agreed to cannot be shown to anyone: it waits.
  if asked = 'express' and draft.text_hash is null and w.basis <> 'import' then
    asked := 'pending';
  end if;
  if asked = 'implied' and not takes_implied(for_site) then
    asked := 'pending';
  end if;
  draft.kind := case asked when 'express' then 'express' when 'implied' then coalesce(w.kind, 'implied_inquiry') else 'none' end;
  if asked = 'implied' then
    -- the law's term, whatever else is said
    draft.expires_at := least(w.expires_at,
      draft.occurred_at + case draft.kind when 'implied_inquiry' then interval '6 months' else interval '2 years' end);
    if draft.expires_at <= now() then
      if w.basis <> 'import' then
        return consent_at(lead.consent_status, lead.consent_expires_at, now());
      end if;
      asked := 'expired';
    end if;
  end if;
  draft.status := asked;

  details.site_id := for_site;
  details.lead_id := for_lead;
  details.email_normalized := lead.email_normalized;
  details.text_id := known_text.text_id;
  details.language := coalesce(nullif(known_text.language, 'und'), w.language);
  details.policy_version := w.policy_version;
  details.page := w.page;
  details.form_name := w.form_name;
  details.source := w.source;
  details.evidence := w.evidence;
  details.sender_name := w.sender ->> 'name';
  details.sender_address := w.sender ->> 'address';
  details.sender_contact := w.sender ->> 'contact';
  details.ip_hash := w.ip_hash;
  details.ua_hash := w.ua_hash;
  details.purposes := case json_typeof(w.purposes)
    when 'array' then (select string_agg(named, ', ') from json_array_elements_text(w.purposes) as p (named))
    when 'string' then w.purposes #>> '{}' end;

  purposes := purposes_of(wanted);
  if asked = 'withdrawn' and json_typeof(w.purposes) is distinct from 'array' then
    purposes := withdrawn_purposes(for_site, for_lead, draft.occurred_at);
  end if;
  foreach for_purpose in array purposes loop
    lead := append_consent(lead, for_purpose, draft, details, w.asked_at, coalesce(w.is_asking, false));
  end loop;
  if asked = 'withdrawn' then
    update opt_ins o set cancelled_at = clock_timestamp()
    where o.site_id = for_site and o.lead_id = for_lead and o.confirmed_at is null and o.cancelled_at is null
      and not exists (
        select from unnest(purposes_of(o.request)) as p (named) cross join lateral consent_standing(for_site, for_lead, named) s
        where s.status is distinct from 'withdrawn' or s.occurred_at < o.requested_at);
  end if;
  return consent_at(lead.consent_status, lead.consent_expires_at, now());
end $$;
comment on function record_consent is 'appends to the consent ledger; see src/product/consent/record_consent.sql';

-- What a withdrawal of everything is written as: one record. Where something newer stands already (it waited in a journal,
-- or is carried in with its date), each purpose it still reaches has its own. Empty: nothing is left to withdraw.
create or replace function withdrawn_purposes(for_site uuid, for_lead uuid, at timestamptz) returns text[]
language plpgsql stable as $$
begin
  if exists (select from consent_standings(for_site, for_lead) s where s.status in ('express', 'withdrawn') and s.since > at) then
    return array(select s.purpose from consent_standings(for_site, for_lead) s
      where s.status <> 'withdrawn' and not (s.status = 'express' and s.since > at));
  end if;
  if (consent_standing(for_site, for_lead, 'all')).seq is null or is_awaited(for_site, for_lead, 'all', at)
      or exists (select from consent_standings(for_site, for_lead) s where s.status <> 'withdrawn') then
    return array['all'];
  end if;
  return '{}';
end $$;

-- Whether a request for that purpose waits for its second step since before that moment.
create or replace function is_awaited(for_site uuid, for_lead uuid, for_purpose text, at timestamptz) returns boolean
language sql stable
return exists (select from opt_ins o where o.site_id = for_site and o.lead_id = for_lead
  and o.confirmed_at is null and o.cancelled_at is null and o.requested_at <= at
  and (for_purpose = 'all' or for_purpose = any (purposes_of(o.request))));

-- One purpose of a request. lead: as it is, its row locked. returns the lead as it is then
create or replace function append_consent(lead leads, for_purpose text, draft consent_records, details consent_details,
  began timestamptz, is_asking boolean) returns leads language plpgsql as $$
declare
  standing consent_records;
  newest consent_records;
begin
  -- whether all is withdrawn anew was decided before (withdrawn_purposes)
  if lead.consent_seq > 0 and for_purpose <> 'all' then
    standing := consent_standing(lead.site_id, lead.lead_id, for_purpose);
    if draft.status in ('pending', 'express', 'implied') then
      newest := consent_newest(lead.site_id, lead.lead_id, for_purpose, false);
    end if;
  end if;
  draft.action := consent_action(draft.status, draft.basis, draft.occurred_at, began, draft.expires_at, standing, newest,
    newest.seq is not null and is_same_consent(case when draft.status = 'pending' then newest else standing end, draft.text_hash, details.policy_version),
    draft.text_hash is not null or details.policy_version is not null,
    draft.status = 'withdrawn' and is_awaited(lead.site_id, lead.lead_id, for_purpose, draft.occurred_at), is_asking);
  if draft.action is null then
    return lead;
  end if;
  if draft.action in ('requested', 'not_given') and standing.seq is not null then
    draft.status := consent_at(standing.status, standing.expires_at, draft.occurred_at);
  elsif draft.action = 'reaffirmed' and draft.status = 'implied' and standing.expires_at > draft.expires_at then
    draft.kind := standing.kind; -- the longer term stands
    draft.expires_at := standing.expires_at;
  end if;
  draft.purpose := case when for_purpose in ('email', 'all') then for_purpose else 'other' end;
  details.purpose := for_purpose;
  draft.record_id := uuidv7();
  draft.seq := lead.consent_seq + 1;
  draft.recorded_at := clock_timestamp()::timestamptz(3);
  draft.previous_hash := lead.consent_head;
  details.record_id := draft.record_id;
  details.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  draft.details_digest := consent_details_digest(details, true);
  draft.hash := consent_hash(draft);
  insert into consent_records select draft.*;
  insert into consent_details select details.*;
  lead.consent_seq := draft.seq;
  lead.consent_head := draft.hash;
  if for_purpose in ('email', 'all') and (draft.action not in ('requested', 'not_given') or standing.seq is null) then
    lead.consent_status := draft.status;
    lead.consent_at := draft.occurred_at;
    lead.consent_expires_at := draft.expires_at;
  end if;
  update leads l set consent_status = lead.consent_status, consent_at = lead.consent_at, consent_expires_at = lead.consent_expires_at,
    consent_seq = lead.consent_seq, consent_head = lead.consent_head
  where l.site_id = lead.site_id and l.lead_id = lead.lead_id;
  -- what their browsers do from then on joins nobody, by whichever way they left
  if draft.status = 'withdrawn' and for_purpose in ('all', 'email', 'profile') then
    update lead_identities set ended_at = draft.occurred_at
    where site_id = lead.site_id and lead_id = lead.lead_id and unlinked_at is null and ended_at is null;
  end if;
  return lead;
end $$;
