-- The ledger of who may be named, and of which review may be published: appended to, each record holding a hash of the one
-- before, as in consent_chain.sql. A permission is about being named or about one review; a withdrawal ends all of them.

create or replace function display_standing(for_site uuid, for_lead uuid) returns display_consents language sql stable
return (select d from display_consents d where d.site_id = for_site and d.lead_id = for_lead and d.review_id is null order by d.seq desc limit 1);

-- Of one review: permissions for it, and whatever withdrew everything.
create or replace function review_standing(for_site uuid, for_lead uuid, for_review uuid) returns display_consents language sql stable
return (select d from display_consents d where d.site_id = for_site and d.lead_id = for_lead
  and (d.review_id = for_review or d.action = 'withdrawn') order by d.seq desc limit 1);

-- Whether there is anything to take back.
create or replace function display_stands(for_site uuid, for_lead uuid) returns boolean language sql stable
return coalesce((select d.action = 'granted' from display_consents d where d.site_id = for_site and d.lead_id = for_lead order by d.seq desc limit 1), false);

-- What came later is hashed only where it is there: records of before keep their hashes.
create or replace function display_details_digest(d display_details) returns bytea language sql immutable
return sha256(d.salt || convert_to(netstring(d.given_name) || netstring(d.city) || netstring(d.region) || netstring(d.country)
  || netstring(d.page) || netstring(d.form_name)
  || case when d.review_hash is null and d.evidence is null then '' else netstring(encode(d.review_hash, 'hex')) || netstring(d.evidence) end, 'UTF8'));

create or replace function display_hash(r display_consents) returns bytea language sql immutable
return sha256(convert_to(netstring(encode(r.previous_hash, 'hex')) || netstring(r.site_id::text) || netstring(r.lead_id::text)
  || netstring(r.seq::text) || netstring(r.action) || netstring(r.basis) || netstring(array_to_string(r.fields, ','))
  || netstring(encode(r.words_hash, 'hex')) || netstring(instant_text(r.occurred_at)) || netstring(instant_text(r.recorded_at))
  || netstring(encode(r.details_digest, 'hex')) || case when r.review_id is null then '' else netstring(r.review_id::text) end, 'UTF8'));

-- wanted   show, basis, occurred_at, and of a permission: words, fields, name?, city?, region?, country?, page?, form_name?,
--          privacy_signal?, evidence?; of one to publish a review also review_id and review_words, exactly as they may be shown
-- returns  whether something was written: never to name who said not to be tracked, nor what stands already
create or replace function record_display(for_site uuid, for_lead uuid, wanted json) returns boolean language plpgsql as $$
#variable_conflict use_column
declare
  lead leads;
  newest display_consents;
  standing display_consents;
  draft display_consents;
  details display_details;
  w record;
begin
  select * into lead from leads where site_id = for_site and lead_id = for_lead for update;
  if not found then
    return false;
  end if;
  select * into w from json_to_record(wanted) as w (show boolean, basis text, occurred_at timestamptz(3), words text, fields text[],
    name text, city text, region text, country text, page text, form_name text, privacy_signal boolean,
    review_id uuid, review_words text, evidence text);
  select * into newest from display_consents d where d.site_id = for_site and d.lead_id = for_lead order by d.seq desc limit 1;
  draft.occurred_at := coalesce(w.occurred_at, now()::timestamptz(3));
  if w.show then
    standing := case when w.review_id is null then display_standing(for_site, for_lead) else review_standing(for_site, for_lead, w.review_id) end;
    if coalesce(w.words, '') = ''
        -- began before it was taken back, or before what stands: it lifts nothing
        or (standing.seq is not null and draft.occurred_at <= standing.occurred_at)
        -- taken back while it waited, in quarantine or a journal, and nothing stood yet
        or draft.occurred_at <= lead.display_withdrawn_at then
      return false;
    end if;
    if w.review_id is null then
      if coalesce(w.privacy_signal, false) or lead.privacy_signal or cardinality(w.fields) is distinct from nullif(cardinality(w.fields), 0) then
        return false;
      end if;
    elsif coalesce(w.privacy_signal, false) or lead.privacy_signal then
      -- the words alone, by nobody in particular
      w.fields := '{}';
      w.name := null;
      w.city := null;
      w.region := null;
      w.country := null;
    end if;
    draft.words_hash := sha256(convert_to(w.words, 'UTF8'));
    insert into display_words (site_id, words_hash, words)
    select for_site, draft.words_hash, w.words
    where (select count(*) from display_words k where k.site_id = for_site and k.first_shown_at > now() - interval '1 day') < 50
    on conflict do nothing;
    -- words that are not kept can't be shown to anybody: no permission
    if not exists (select from display_words k where k.site_id = for_site and k.words_hash = draft.words_hash) then
      return false;
    end if;
    details := row(for_site, null, for_lead, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), w.name, w.city, w.region, w.country,
      w.page, w.form_name, sha256(convert_to(w.review_words, 'UTF8')), w.evidence);
    draft.review_id := w.review_id;
  elsif not display_stands(for_site, for_lead) then
    return false;
  end if;
  draft.site_id := for_site;
  draft.lead_id := for_lead;
  draft.record_id := uuidv7();
  draft.seq := coalesce(newest.seq, 0) + 1;
  draft.action := case when w.show then 'granted' else 'withdrawn' end;
  draft.basis := w.basis;
  draft.fields := coalesce(w.fields, '{}');
  draft.recorded_at := clock_timestamp()::timestamptz(3);
  draft.previous_hash := newest.hash;
  if w.show then
    details.record_id := draft.record_id;
    draft.details_digest := display_details_digest(details);
    insert into display_details select details.*;
  end if;
  draft.hash := display_hash(draft);
  insert into display_consents select draft.*;
  return true;
end $$;
comment on function record_display is 'appends to the ledger of who may be named; see src/product/display/record_display.sql';

-- Takes it back, by the key of a link, by address or by lead. What was sent before and still waits is bound by it too, wherever:
-- it is remembered of the lead, and of an address that may become one.
--
-- request  site_id, at, basis, and one of key, email_normalized (with email_hash) and lead_id
-- returns  the lead; null: nobody of ours, or there is nothing it takes back
create or replace function withdraw_display(request json) returns uuid language plpgsql as $$
#variable_conflict use_column
declare
  site constant uuid := request ->> 'site_id';
  -- dated by a clock that is ahead it would bind what is yet to come
  at constant timestamptz(3) := least((request ->> 'at')::timestamptz(3), clock_timestamp()::timestamptz(3));
  known uuid;
  address text;
  waits boolean;
begin
  perform set_config('marketing.sites', site::text, true);
  if request ->> 'email_normalized' is not null then
    -- against a capture of the same address that is under way
    perform pg_advisory_xact_lock(hashtextextended(site::text || ' ' || (request ->> 'email_normalized'), 7));
    -- known or not: the same write. One that waits since an older release has no hash.
    insert into withdrawal_requests as told (site_id, email_hash, purpose, requested_at)
    select site, (request ->> 'email_hash')::bytea, 'display', at where request ->> 'email_hash' is not null
    on conflict (site_id, email_hash, purpose) do update set requested_at = greatest(told.requested_at, excluded.requested_at);
  end if;
  update leads set display_withdrawn_at = greatest(display_withdrawn_at, at) where site_id = site and (unsubscribe_key = request ->> 'key'
    or email_normalized = request ->> 'email_normalized' or lead_id = (request ->> 'lead_id')::uuid)
  returning lead_id, email_normalized into known, address;
  if known is null then
    return null;
  end if;
  waits := exists (select from quarantine where site_id = site and email_normalized = address and decision is null and received_at <= at
    and (json_typeof(capture #> '{review,permission}') = 'object' or json_typeof(capture -> 'display') = 'object'));
  if not record_display(site, known, json_build_object('show', false, 'basis', request ->> 'basis', 'occurred_at', request ->> 'at')) and not waits then
    return null;
  end if;
  return known;
end $$;
comment on function withdraw_display is 'takes back that somebody may be named; see src/product/display/record_display.sql';
