-- How a consent record is hashed, so that anyone outside can do it again (chain.ts does).

-- <bytes>:<utf-8>; or -; when absent: no two lists of fields give the same text. The cast keeps it immutable all
-- through, so that it is inlined.
create or replace function netstring(field text) returns text language sql immutable parallel safe
return coalesce(octet_length(field)::text || ':' || field || ';', '-;');

create or replace function instant_text(moment timestamptz) returns text language sql immutable parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- has_purpose  as its record has; older ones have neither that nor a sender
create or replace function consent_details_digest(d consent_details, has_purpose boolean) returns bytea language sql immutable
return sha256(d.salt || convert_to(
  netstring(d.email_normalized) || netstring(d.text_id::text) || netstring(d.language) || netstring(d.policy_version)
  || netstring(d.purposes) || netstring(d.page) || netstring(d.form_name) || netstring(d.source) || netstring(d.evidence)
  || netstring(encode(d.ip_hash, 'hex')) || netstring(encode(d.ua_hash, 'hex'))
  || case when has_purpose then netstring(d.purpose) || netstring(d.sender_name) || netstring(d.sender_address) || netstring(d.sender_contact) else '' end, 'UTF8'));

create or replace function consent_hash(r consent_records) returns bytea language sql immutable
return sha256(convert_to(
  netstring(encode(r.previous_hash, 'hex')) || netstring(r.site_id::text) || netstring(r.lead_id::text) || netstring(r.seq::text)
  || netstring(r.action) || netstring(r.status) || netstring(r.kind) || netstring(r.basis) || netstring(encode(r.text_hash, 'hex'))
  || netstring(r.privacy_signal::text) || netstring(instant_text(r.occurred_at)) || netstring(instant_text(r.recorded_at))
  || netstring(instant_text(r.expires_at)) || netstring(encode(r.details_digest, 'hex'))
  || case when r.purpose is not null then netstring(r.purpose) else '' end, 'UTF8'));
