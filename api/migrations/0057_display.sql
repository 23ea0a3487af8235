-- Permission to be named on the site: a ledger of its own beside that of consent to mail, chained in the same way; neither
-- moves the other.

create table display_words (
  site_id uuid not null references sites,
  words_hash bytea not null,
  words text not null check (length(words) <= 2000),
  first_shown_at timestamptz(3) not null default now(),
  primary key (site_id, words_hash)
);
comment on table display_words is 'the exact words beside the box, once each; their SHA-256 stands in the ledger';
call isolate_sites('display_words');

create table display_consents (
  site_id uuid not null references sites,
  record_id uuid not null default uuidv7(),
  lead_id uuid not null,
  seq integer not null,
  action text not null check (action in ('granted', 'withdrawn')),
  basis text not null check (basis in ('form', 'order', 'link', 'request', 'restore', 'admin')),
  fields text[] not null check (fields <@ array['name', 'place', 'product']),
  words_hash bytea,
  occurred_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null,
  details_digest bytea,
  previous_hash bytea,
  hash bytea not null,
  primary key (site_id, record_id),
  unique (site_id, lead_id, seq)
);
comment on table display_consents is 'who allowed what of them to be shown, or took it back; append-only for the app''s role';
call isolate_sites('display_consents');
revoke update, delete, truncate on display_consents from marketing_app;

create table display_details (
  site_id uuid not null,
  record_id uuid not null,
  lead_id uuid not null,
  salt bytea not null,
  given_name text check (length(given_name) <= 40),
  city text check (length(city) <= 100),
  region text check (length(region) <= 100),
  country text check (country ~ '^[A-Z]{2}$'),
  page text,
  form_name text,
  primary key (site_id, record_id)
);
comment on table display_details is 'what of a record can be forgotten; its digest stays in the chain';
create index display_details_of on display_details (site_id, lead_id);
create index display_details_places on display_details (site_id, country) where country is not null;
call isolate_sites('display_details');

create trigger feed_changed_by_display after insert on display_consents for each row execute function tell_feed();

create function purge_display_consents(for_site uuid, before timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  purged bigint;
begin
  if before > now() - interval '1 year' then
    raise exception 'too young to purge';
  end if;
  delete from public.display_consents c using (
    select lead_id from public.display_consents d where site_id = for_site and site_id = any (public.current_sites())
      and not exists (select from public.leads l where l.site_id = d.site_id and l.lead_id = d.lead_id)
    group by lead_id having max(recorded_at) < before order by lead_id limit 1000
  ) old where c.site_id = for_site and c.lead_id = old.lead_id;
  get diagnostics purged = row_count;
  return purged;
end $$;
comment on function purge_display_consents is 'forgets chains of leads that are gone, last written before that moment; a bite of 1000 leads';
revoke all on function purge_display_consents from public;
grant execute on function purge_display_consents to marketing_app;
