-- Where a lead stands: read off the ledger for each purpose, and by the clock, at any moment.

-- Implied consent ends by itself; nobody has to write that down first.
create or replace function consent_at(status text, expires_at timestamptz, moment timestamptz) returns text
language sql immutable parallel safe
return case when status = 'implied' and expires_at <= moment then 'expired' else status end;

-- Implied consent is Canada's (CASL); a site whose people are under another law takes none: its setting impliedConsent.
create or replace function takes_implied(for_site uuid) returns boolean language sql stable
return coalesce((select (settings ->> 'impliedConsent')::boolean from sites where site_id = for_site), true);

-- What a record is about; before there were purposes a withdrawal was of everything, all else of email.
create or replace function purpose_of(r consent_records, named text) returns text language sql immutable
return case coalesce(r.purpose, case r.status when 'withdrawn' then 'all' else 'email' end) when 'email' then 'email' when 'all' then 'all'
  else named end;

-- The newest record of a purpose, be it only a request. A withdrawal of all is one of each.
-- is_standing  leaves out what changes nothing: a request that waits, a form that agreed to nothing; the record that decides
-- returns      every column null: nobody has said anything about it
create or replace function consent_newest(for_site uuid, for_lead uuid, for_purpose text, is_standing boolean) returns consent_records
language sql stable set enable_seqscan = off
return (select r from consent_records r left join consent_details d on d.site_id = r.site_id and d.record_id = r.record_id
  where r.site_id = for_site and r.lead_id = for_lead and purpose_of(r, d.purpose) in (for_purpose, 'all')
    and not (is_standing and r.action in ('requested', 'not_given'))
  order by r.seq desc limit 1);

create or replace function consent_standing(for_site uuid, for_lead uuid, for_purpose text) returns consent_records language sql stable
return consent_newest(for_site, for_lead, for_purpose, true);

-- Since when mails to a lead, or its profile, stand withdrawn: what its browsers do after that joins it no more. null: neither
create or replace function left_at(for_site uuid, for_lead uuid) returns timestamptz language sql stable
return (select min(s.occurred_at) from unnest(array['email', 'profile']) as p (named)
  cross join lateral consent_standing(for_site, for_lead, named) s where s.status = 'withdrawn');

-- Whether a lead may be tied to its browsers where a site ties by consent only.
create or replace function agrees_to_ties(for_site uuid, for_lead uuid) returns boolean language sql stable
return coalesce((consent_standing(for_site, for_lead, 'profile')).status = 'express', false);

-- Every purpose that was ever named for a lead, with where it stands; email always.
create or replace function consent_standings(for_site uuid, for_lead uuid)
returns table (purpose text, status text, since timestamptz, expires_at timestamptz) language sql stable set enable_seqscan = off as $$
  select named.purpose, coalesce(consent_at(s.status, s.expires_at, now()), 'pending'), s.occurred_at, s.expires_at
  from (select 'email' as purpose union select purpose_of(r, d.purpose) from consent_records r
    left join consent_details d on d.site_id = r.site_id and d.record_id = r.record_id
    where r.site_id = for_site and r.lead_id = for_lead) named
  cross join lateral consent_standing(for_site, for_lead, named.purpose) s
  where named.purpose <> 'all'
  order by named.purpose <> 'email', named.purpose
$$;

-- Whether that record is of the same words under the same policy.
create or replace function is_same_consent(r consent_records, words_hash bytea, policy text) returns boolean language sql stable
return r.text_hash is not distinct from words_hash and policy is not distinct from
  (select d.policy_version from consent_details d where d.site_id = r.site_id and d.record_id = r.record_id);

-- What a request is about: its purposes, email when it names none. all: only of a withdrawal.
create or replace function purposes_of(request json) returns text[] language sql immutable
return case json_typeof(request -> 'purposes') when 'array' then array(select json_array_elements_text(request -> 'purposes'))
  else array['email'] end;
