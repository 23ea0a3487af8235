-- Days of events in a bucket, before their partitions go: what lies there, what an erasure has yet to take out of it, and
-- what was brought back for a week.

create table archives (
  site_id uuid not null references sites,
  day date not null,
  file text not null check (length(file) <= 200),
  rows integer not null check (rows > 0),
  bytes bigint not null,
  sha256 bytea not null check (length(sha256) = 32),
  schema_version smallint not null,
  raw_rows integer not null,
  raw_sum numeric not null,
  visitors bytea not null,
  archived_at timestamptz(3) not null default now(),
  rewritten_at timestamptz(3),
  primary key (site_id, day)
);
comment on table archives is 'a UTC day of a site''s events as one Parquet file in the bucket; listed once it was read back from there';
comment on column archives.raw_sum is 'of the raw rows it was made from (archive_sums): a partition whose rows are others by now stays';
comment on column archives.visitors is 'of each visitor in it the first six bytes of the id''s SHA-256: an erasure finds the files that hold somebody';
-- compressed it would be as long, and each erasure would pay for it
alter table archives alter column visitors set storage external;
call isolate_sites('archives');

create table archive_removals (
  site_id uuid not null references sites,
  file text not null,
  since timestamptz(3) not null default now(),
  primary key (site_id, file)
);
comment on table archive_removals is 'names that lie in the bucket, or may, and are none of the archives: noted before an upload, and when a newer file took its place';
call isolate_sites('archive_removals');

create table archive_erasures (
  site_id uuid not null references sites,
  erasure_no bigint generated always as identity,
  day date not null,
  taken_visitor uuid,
  taken_event uuid,
  becomes uuid not null,
  since timestamptz(3) not null default now(),
  primary key (site_id, erasure_no),
  check (num_nonnulls(taken_visitor, taken_event) = 1)
);
comment on table archive_erasures is 'whose rows are yet to be taken out of which file; gone when it was written anew';
create index archive_erasures_by_day on archive_erasures (site_id, day);
call isolate_sites('archive_erasures');

create table archive_restores (
  site_id uuid not null references sites,
  restore_id uuid not null default uuidv7(),
  from_day date not null,
  to_day date not null,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
  days integer not null default 0,
  rows bigint not null default 0,
  why text,
  requested_by text not null,
  requested_at timestamptz(3) not null default now(),
  finished_at timestamptz(3),
  primary key (site_id, restore_id),
  check (from_day <= to_day)
);
comment on table archive_restores is 'days that somebody asked back from the bucket, and what came of it';
create unique index archive_restores_waiting on archive_restores (site_id) where state = 'waiting';
call isolate_sites('archive_restores');

create table restored_events (
  site_id uuid not null references sites,
  event_id uuid not null,
  visitor_id uuid not null,
  session_id uuid not null,
  day date not null,
  site_day date not null,
  occurred_at timestamptz(3) not null,
  received_at timestamptz(3) not null,
  event_type text not null,
  path text not null,
  referrer text,
  source text,
  utm_source text,
  utm_medium text,
  utm_campaign text,
  utm_term text,
  utm_content text,
  bot_reason text,
  clamped boolean not null,
  privacy_signal boolean not null,
  is_conversion boolean not null,
  engaged_ms integer,
  scroll_percent real,
  fcp_ms real,
  lcp_ms real,
  inp_ms real,
  ttfb_ms real,
  cls_score real,
  props jsonb,
  device_type text,
  browser text,
  os text,
  country text,
  restored_at timestamptz(3) not null default now(),
  primary key (site_id, day, event_id)
);
comment on table restored_events is 'events read back from the archive, to be looked at for seven days; nothing changes them but an erasure, which deletes';
create index restored_events_by_visitor on restored_events (site_id, visitor_id);
call isolate_sites('restored_events');
-- What came back is what lay there; one column, so that the purge may hold the rows that it deletes.
revoke update on restored_events from marketing_app;
grant update (restored_at) on restored_events to marketing_app;

create table archive_runs (
  one boolean primary key default true check (one),
  at timestamptz(3) not null,
  message text,
  failing_since timestamptz(3),
  days_waiting integer not null
);
comment on table archive_runs is 'what the last night with the bucket found; failing_since: no night since then was well';
