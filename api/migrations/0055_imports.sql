-- Days counted by another tool before this one: beside our own numbers, never in them, and gone again in one step.

create table imports (
  site_id uuid not null references sites,
  import_id uuid not null default uuidv7(),
  source text not null check (source in ('plausible', 'umami', 'ga4', 'matomo', 'goatcounter', 'fathom')),
  files jsonb not null,
  time_zone text not null,
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  finished_at timestamptz(3),
  primary key (site_id, import_id)
);
comment on table imports is 'what was brought in from another tool; shown once it is finished';
comment on column imports.files is 'names and SHA-256 of the files it was read from; the files stay with who has them';
call isolate_sites('imports');

create table import_batches (
  site_id uuid not null,
  import_id uuid not null,
  seq integer not null check (seq >= 0),
  digest bytea not null,
  rows integer not null,
  primary key (site_id, import_id, seq),
  foreign key (site_id, import_id) references imports on delete cascade
);
comment on table import_batches is 'which batches have come, so that one sent twice counts once';
call isolate_sites('import_batches');

create table imported_days (
  site_id uuid not null,
  day date not null,
  kind text not null,
  name text not null,
  detail text not null default '',
  import_id uuid not null,
  visitors bigint not null default 0,
  visits bigint not null default 0,
  pageviews bigint not null default 0,
  bounces bigint not null default 0,
  seconds bigint not null default 0,
  events bigint not null default 0,
  primary key (site_id, day, kind, name, detail, import_id),
  foreign key (site_id, import_id) references imports on delete cascade
);
comment on table imported_days is 'a day of a site as another tool counted it; kind total has one row a day';
comment on column imported_days.visitors is 'of this day; never added up into unique visitors';
create index imported_days_holding_addresses on imported_days (site_id)
  where may_hold_address(name) or may_hold_address(detail) or length(name) = 512 or length(detail) = 512;
create index imported_days_of_import on imported_days (site_id, import_id);
call isolate_sites('imported_days');
