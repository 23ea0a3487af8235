-- What visitors chose in the consent control of a page, so that it can be shown: which mode, under which words, when, until when.

create table browser_choice_words (
  site_id uuid not null references sites,
  words_hash bytea not null,
  words text not null check (length(words) <= 2000),
  first_shown_at timestamptz(3) not null default now(),
  last_shown_at timestamptz(3) not null default now(),
  primary key (site_id, words_hash)
);
comment on table browser_choice_words is 'the exact words a consent control showed, buttons included, once each';
comment on column browser_choice_words.words_hash is 'SHA-256 of the UTF-8 words';
comment on column browser_choice_words.last_shown_at is 'to the day';
call isolate_sites('browser_choice_words');

create table browser_choices (
  site_id uuid not null references sites,
  choice_id uuid not null,
  mode text not null check (mode in ('full', 'measure', 'page', 'off')),
  visitor_id uuid,
  words_hash bytea not null,
  language text not null check (length(language) <= 35),
  privacy_signal boolean not null,
  chosen_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null default now(),
  ends_at timestamptz(3) not null,
  primary key (site_id, choice_id)
);
comment on table browser_choices is 'what a browser''s visitor answered to the consent control; append-only for the app''s role';
comment on column browser_choices.choice_id is 'made from the one the browser minted, so that one told twice is one';
comment on column browser_choices.visitor_id is 'whom an agreement makes known, or whose id a refusal ended; null: the browser had no id';
create index browser_choices_of on browser_choices (site_id, visitor_id, chosen_at) where visitor_id is not null;
create index browser_choices_newest on browser_choices (site_id, chosen_at, choice_id);
create index browser_choices_words on browser_choices (site_id, words_hash);
create index browser_choices_ending on browser_choices (site_id, ends_at);
call isolate_sites('browser_choices');
revoke update, delete, truncate on browser_choices from marketing_app;
-- an erasure moves a visitor's rows to nobody
grant update (visitor_id) on browser_choices to marketing_app;

create function purge_browser_choices(for_site uuid, before timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  purged bigint;
begin
  if before > now() - interval '1 year' then
    raise exception 'too young to purge';
  end if;
  delete from public.browser_choices c using (
    select choice_id from public.browser_choices
    where site_id = for_site and site_id = any (public.current_sites()) and ends_at < before
    order by ends_at limit 10000
  ) old where c.site_id = for_site and c.choice_id = old.choice_id;
  get diagnostics purged = row_count;
  return purged;
end $$;
comment on function purge_browser_choices is 'forgets choices that ended before that moment; a bite of 10 000';
revoke all on function purge_browser_choices from public;
grant execute on function purge_browser_choices to marketing_app;
