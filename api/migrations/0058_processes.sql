-- Several processes on one database know of each other, and what one of them does for all is a lease: a row that is renewed. A
-- lock of a session would end with it, but behind a pooler in transaction mode a session is whoever's turn it is.

create table processes (
  process_id uuid primary key,
  started_at timestamptz(3) not null default now(),
  seen_at timestamptz(3) not null default now()
) with (fillfactor = 50);
comment on table processes is 'processes that serve; each says every 15 s that it is there, and one that did not for a minute is gone';

create table leases (
  name text primary key,
  holder uuid not null,
  process_id uuid,
  until timestamptz(3) not null
) with (fillfactor = 50);
comment on table leases is 'what only one may do at a time, and until when it is believed to be at it';
comment on column leases.process_id is 'null: a process that does not serve, such as the command line';

-- Settings and origins are known everywhere at once.
create function tell_sites_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('sites_changed', '');
  return null;
end $$;
comment on function tell_sites_changed is 'heard by src/ground/db/presence.ts';
create trigger sites_changed after insert or update or delete on sites for each statement execute function tell_sites_changed();

comment on column job_runs.state is 'abandoned: its process ended in the middle of it (nobody holds the job''s lease)';
comment on function tell_metrics_changed is 'heard by src/ground/db/presence.ts';

-- Another pepper makes other hashes of the same people, and another password of the app's role, which locks the first one out.
alter table installation add column pepper_mark text;
comment on column installation.pepper_mark is 'tells whether a pepper is the one of before, and nothing else about it; null: the next start notes its own';
