-- What filtered numbers are counted from: of each visit of the days whose raw rows exist a row of numbers, written when the day is
-- expected to change no more (visit_facts has it until then, with its names in full), and what it came by and saw, each once a site.

create table visit_origins (
  site_id uuid not null references sites on delete cascade,
  origin_id integer generated always as identity,
  source text not null,
  referrer text,
  campaign text,
  utm_source text,
  utm_medium text,
  utm_term text,
  utm_content text,
  device_type text not null,
  browser text not null,
  os text not null,
  country text not null,
  hash bigint not null,
  last_day date not null,
  has_at boolean not null,
  primary key (site_id, origin_id)
);
comment on table visit_origins is 'what visits came by and with: each combination once a site';
comment on column visit_origins.hash is 'of all texts, for looking it up; after an address was taken out of one it is no longer theirs, and never found';
comment on column visit_origins.last_day is 'the latest day with a visit of it: it goes with the raw rows of that day';
comment on column visit_origins.has_at is 'one of its texts may hold an address: an erasure looks no further';
create index visit_origins_by_hash on visit_origins (site_id, hash);
create index visit_origins_holding_addresses on visit_origins (site_id) where has_at;
call isolate_sites('visit_origins');

create table visit_paths (
  site_id uuid not null references sites on delete cascade,
  path_id integer generated always as identity,
  path text not null,
  hash bigint not null,
  last_day date not null,
  has_at boolean not null,
  primary key (site_id, path_id)
);
comment on table visit_paths is 'paths that visits saw: each once a site; the columns as in visit_origins';
create index visit_paths_by_hash on visit_paths (site_id, hash);
create index visit_paths_holding_addresses on visit_paths (site_id) where has_at;
call isolate_sites('visit_paths');

create table session_days (
  site_id uuid not null,
  visitor_id uuid not null,
  day date not null,
  origin_id integer not null,
  landing_id integer not null,
  leaving_id integer not null,
  engaged_ms integer not null,
  nth smallint not null,
  forms_started smallint not null,
  forms_submitted smallint not null,
  again boolean not null,
  begun boolean not null,
  converted boolean not null,
  bounced boolean not null,
  pages integer[] not null
);
comment on table session_days is 'a visit on a day of the site, of days that change no more: the numbers of visit_facts, narrow; no key, since a row is never looked up';
comment on column session_days.nth is 'of the visitor''s visits of that day';
comment on column session_days.again is 'the visitor has several visits that day: who has one is one visitor without being compared';
comment on column session_days.landing_id is 'the entrance, in visit_paths; 0: none. leaving_id: the exit';
comment on column session_days.begun is 'false: it counts for the day before, only its page views are this day''s';
comment on column session_days.pages is 'of this day, in visit_paths: one viewed twice stands there twice';
create index session_days_of_day on session_days (site_id, day);
call isolate_sites('session_days');

alter table rollup_state add column visits_kept boolean not null default false;
comment on column rollup_state.visits_kept is 'whether session_days has the visits of the day; of an open day visit_facts has them';

-- Filters under a name: of everybody who sees the site's numbers, or of one person alone.
create table segments (
  site_id uuid not null references sites on delete cascade,
  segment_id uuid not null default uuidv7(),
  name text not null check (length(name) between 1 and 400),
  filters text[] not null check (cardinality(filters) between 1 and 20),
  user_id uuid references users on delete cascade,
  made_by text not null,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (site_id, segment_id)
);
comment on column segments.name is 'written with 100 characters at most; an address that is taken out leaves a longer word behind';
comment on column segments.user_id is 'whose alone it is; null: everybody''s who sees the site''s numbers';
create index segments_of_user on segments (user_id) where user_id is not null;
call isolate_sites('segments');
create trigger metrics_changed after update or delete on segments for each statement execute function tell_metrics_changed();

alter table shares add column segment_id uuid;
comment on column shares.segment_id is 'only visits of this segment are shown; when it is gone, nothing is';

-- Days that are over and whose raw rows exist are counted once more, and keep their visits.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
insert into dirty_days (site_id, day, cause) select site_id, day, 'counted_anew' from rollup_state where sealed_at is null and not is_open;
