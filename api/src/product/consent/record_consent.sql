-- The consent ledger: one record appended when a request really changes a lead's status, chained to the one before.

-- <bytes>:<utf-8>; or -; when absent: no two lists of fields give the same text. The cast keeps it immutable all
-- through, so that it is inlined.
create or replace function netstring(field text) returns text language sql immutable parallel safe
return coalesce(octet_length(field)::text || ':' || field || ';', '-;');

create or replace function instant_text(moment timestamptz) returns text language sql immutable parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create or replace function consent_details_digest(d consent_details) returns bytea language sql immutable
return sha256(d.salt || convert_to(
  netstring(d.email_normalized) || netstring(d.text_id::text) || netstring(d.language) || netstring(d.policy_version)
  || netstring(d.purposes) || netstring(d.page) || netstring(d.form_name) || netstring(d.source) || netstring(d.evidence)
  || netstring(encode(d.ip_hash, 'hex')) || netstring(encode(d.ua_hash, 'hex')), 'UTF8'));

create or replace function consent_hash(r consent_records) returns bytea language sql immutable
return sha256(convert_to(
  netstring(encode(r.previous_hash, 'hex')) || netstring(r.site_id::text) || netstring(r.lead_id::text) || netstring(r.seq::text)
  || netstring(r.action) || netstring(r.status) || netstring(r.kind) || netstring(r.basis) || netstring(encode(r.text_hash, 'hex'))
  || netstring(r.privacy_signal::text) || netstring(instant_text(r.occurred_at)) || netstring(instant_text(r.recorded_at))
  || netstring(instant_text(r.expires_at)) || netstring(encode(r.details_digest, 'hex')), 'UTF8'));

-- Appends what `wanted` asks for if the transitions of the contract allow it; the lead's row is locked meanwhile.
--
-- wanted   status (pending implied express withdrawn expired), basis, occurred_at (when the request arrived), kind?,
--          words? or text_id?, language?, policy_version?, purposes?, page?, form_name?, source?, evidence?, ip_hash?,
--          ua_hash?, privacy_signal?, expires_at?
-- returns  the lead's status afterwards; null when there is no such lead
create or replace function record_consent(for_site uuid, for_lead uuid, wanted json)
returns text language plpgsql as $$
#variable_conflict use_column
declare
  lead leads;
  record consent_records;
  details consent_details;
  known_text consent_texts;
  w record;
  asked text;
begin
  select * into lead from leads where site_id = for_site and lead_id = for_lead for update;
  if not found then
    return null;
  end if;
  -- once: every wanted ->> 'field' would parse the whole text again
  select * into w from json_to_record(wanted) as w (status text, basis text, kind text, occurred_at timestamptz(3),
    expires_at timestamptz(3), words text, text_id uuid, language text, policy_version text, purposes text, page text,
    form_name text, source text, evidence text, ip_hash bytea, ua_hash bytea, privacy_signal boolean);
  asked := w.status;
  record.site_id := for_site;
  record.lead_id := for_lead;
  record.basis := w.basis;
  record.occurred_at := coalesce(w.occurred_at, now()::timestamptz(3));
  record.privacy_signal := coalesce(w.privacy_signal, false);
  details.language := coalesce(w.language, 'en');

  if w.text_id is not null then
    select * into known_text from consent_texts where site_id = for_site and text_id = w.text_id;
    details.language := coalesce(known_text.language, details.language);
  elsif w.words <> '' then
    select * into known_text from consent_texts
    where site_id = for_site and words_hash = sha256(convert_to(w.words, 'UTF8')) and language = details.language
    order by origin, version desc limit 1;
    if not found then
      insert into consent_texts (site_id, name, version, language, words, words_hash, origin)
      values (for_site, 'form:' || encode(sha256(convert_to(w.words, 'UTF8')), 'hex'), 1, details.language, w.words,
        sha256(convert_to(w.words, 'UTF8')), 'form')
      on conflict (site_id, words_hash, language) where origin = 'form' do update set origin = 'form'
      returning * into known_text;
    end if;
  end if;
  record.text_hash := known_text.words_hash;
  -- Express consent without the words that were agreed to cannot be shown to anyone: it waits.
  if asked = 'express' and record.text_hash is null and record.basis <> 'import' then
    asked := 'pending';
  end if;

  record.status := asked;
  record.kind := case asked when 'express' then 'express' when 'implied' then coalesce(w.kind, 'implied_inquiry') else 'none' end;
  record.expires_at := case when asked = 'implied' then coalesce(w.expires_at,
    case record.kind when 'implied_inquiry' then record.occurred_at + interval '6 months'
      when 'implied_purchase' then record.occurred_at + interval '2 years' end) end;
  record.action := case
    when asked = 'withdrawn' then case
      when lead.consent_status = 'withdrawn' then null
      -- replayed from a journal: agreed again since
      when lead.consent_status = 'express' and lead.consent_at > record.occurred_at then null
      else 'withdrawn' end
    when asked = 'expired' then case when lead.consent_status = 'implied' and lead.consent_expires_at <= record.occurred_at then 'expired' end
    when asked = 'express' then case
      when lead.consent_status = 'express' then null
      -- began before the withdrawal: it does not lift it
      when lead.consent_status = 'withdrawn' then case when record.occurred_at > lead.consent_at then 'regranted' end
      when record.basis = 'double_opt_in' then 'confirmed'
      else 'granted' end
    when asked = 'implied' then case
      when lead.consent_seq > 0 and lead.consent_status in ('withdrawn', 'express') then null
      -- another inquiry starts the term anew; on the same day it is the same inquiry
      when lead.consent_seq > 0 and lead.consent_status = 'implied' then
        case when record.expires_at > lead.consent_expires_at + interval '1 day' then 'renewed' end
      else 'granted' end
    when asked = 'pending' then case when lead.consent_seq = 0 then 'requested' end
  end;
  if record.action is null then
    return lead.consent_status;
  end if;
  if record.basis = 'import' and record.action in ('granted', 'requested', 'withdrawn') then
    record.action := 'imported';
  end if;

  record.record_id := uuidv7();
  record.seq := lead.consent_seq + 1;
  record.recorded_at := clock_timestamp()::timestamptz(3);
  record.previous_hash := lead.consent_head;
  details.site_id := for_site;
  details.record_id := record.record_id;
  details.lead_id := for_lead;
  details.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  details.email_normalized := lead.email_normalized;
  details.text_id := known_text.text_id;
  details.policy_version := w.policy_version;
  details.purposes := w.purposes;
  details.page := w.page;
  details.form_name := w.form_name;
  details.source := w.source;
  details.evidence := w.evidence;
  details.ip_hash := w.ip_hash;
  details.ua_hash := w.ua_hash;
  record.details_digest := consent_details_digest(details);
  record.hash := consent_hash(record);
  insert into consent_records select record.*;
  insert into consent_details select details.*;
  update leads set consent_status = record.status, consent_at = record.occurred_at, consent_expires_at = record.expires_at,
    consent_seq = record.seq, consent_head = record.hash
  where site_id = for_site and lead_id = for_lead;
  if record.action = 'withdrawn' then
    update opt_ins set cancelled_at = record.recorded_at
    where site_id = for_site and lead_id = for_lead and confirmed_at is null and cancelled_at is null and requested_at <= record.occurred_at;
  end if;
  return record.status;
end $$;
comment on function record_consent is 'appends to the consent ledger; see src/product/consent/record_consent.sql';
