-- Who agreed to what, in which words, when: append-only and hash-chained; what is personal lies apart and can be forgotten.

create table consent_texts (
  site_id uuid not null references sites,
  text_id uuid not null default uuidv7(),
  name text not null,
  version integer not null,
  language text not null default 'en',
  words text not null check (length(words) <= 8000),
  words_hash bytea not null,
  origin text not null check (origin in ('admin', 'form')),
  created_at timestamptz(3) not null default now(),
  primary key (site_id, text_id),
  unique (site_id, name, language, version)
);
comment on table consent_texts is 'the exact words shown; never changed: another wording is another version';
comment on column consent_texts.words_hash is 'SHA-256 of the UTF-8 words';
comment on column consent_texts.origin is 'admin: published for the site. form: sent along with a capture';
create unique index consent_texts_by_words on consent_texts (site_id, words_hash, language) where origin = 'form';
call isolate_sites('consent_texts');

create table consent_records (
  site_id uuid not null references sites,
  record_id uuid not null default uuidv7(),
  lead_id uuid not null,
  seq integer not null check (seq >= 1),
  action text not null check (action in ('requested', 'granted', 'regranted', 'renewed', 'confirmed', 'withdrawn', 'expired', 'imported')),
  status text not null check (status in ('pending', 'implied', 'express', 'withdrawn', 'expired')),
  kind text not null check (kind in ('none', 'express', 'implied_inquiry', 'implied_purchase', 'implied_other')),
  basis text not null check (basis in ('form', 'double_opt_in', 'unsubscribe_link', 'one_click', 'unsubscribe_request', 'import', 'expiry', 'purchase', 'admin')),
  text_hash bytea,
  privacy_signal boolean not null default false,
  occurred_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  details_digest bytea not null,
  previous_hash bytea,
  hash bytea not null,
  primary key (site_id, record_id),
  unique (site_id, lead_id, seq)
);
comment on table consent_records is 'append-only: the app''s role can neither change nor delete a row. Holds no address; outlives the lead as proof';
comment on column consent_records.details_digest is 'SHA-256 of the salt and the fields of consent_details: they can be forgotten without breaking the chain';
comment on column consent_records.hash is 'SHA-256 of previous_hash and the fields of this row, each as <bytes>:<utf-8>; (absent: -;), in the order of consent_hash()';
comment on column consent_records.occurred_at is 'when the request arrived; recorded_at is when it was written';
call isolate_sites('consent_records');
revoke update, delete, truncate on consent_records from marketing_app;

create table consent_details (
  site_id uuid not null,
  record_id uuid not null,
  lead_id uuid not null,
  salt bytea not null,
  email_normalized text not null,
  text_id uuid,
  language text,
  policy_version text,
  purposes text,
  page text,
  form_name text,
  source text,
  evidence text,
  ip_hash bytea,
  ua_hash bytea,
  primary key (site_id, record_id)
);
comment on table consent_details is 'the personal half of a consent record; an erasure deletes it, its digest stays in the record';
comment on column consent_details.evidence is 'of an import: where and how the consent was given before; of a withdrawal: the reason given';
create index consent_details_by_lead on consent_details (site_id, lead_id);
create index consent_details_by_text on consent_details (site_id, text_id) where text_id is not null;
call isolate_sites('consent_details');
revoke update on consent_details from marketing_app;

-- Retention: whole chains whose last action is older than that. The app's role may not delete, so this may, and only this.
create function purge_consent_records(for_site uuid, before timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  purged bigint;
begin
  if not for_site = any (public.current_sites()) or before > now() - interval '1 year' then
    raise exception 'not for this site, or too young to purge';
  end if;
  with lapsed as (
    select r.lead_id from public.consent_records r where r.site_id = for_site
    group by r.lead_id having max(r.recorded_at) < before
  ), live as (
    select lapsed.lead_id from lapsed
    where not exists (select from public.leads l where l.site_id = for_site and l.lead_id = lapsed.lead_id)
    limit 1000
  ), details as (
    delete from public.consent_details d using live where d.site_id = for_site and d.lead_id = live.lead_id
  ), gone as (
    delete from public.consent_records r using live where r.site_id = for_site and r.lead_id = live.lead_id returning 1
  )
  select count(*) into purged from gone;
  return purged;
end $$;
comment on function purge_consent_records is 'forgets chains of leads that are gone, last written before that moment; a bite of 1000 leads; answers the records';
revoke all on function purge_consent_records from public;
grant execute on function purge_consent_records to marketing_app;
