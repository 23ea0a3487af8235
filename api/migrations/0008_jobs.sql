-- What the jobs did and when, and which minutes the service was there at all. Of the whole installation, not of a site.

create table job_runs (
  run_id uuid primary key default uuidv7(),
  job text not null check (job ~ '^[a-z0-9_]{1,64}$'),
  scheduled_for timestamptz(3),
  trigger text not null check (trigger in ('schedule', 'made_up', 'by_hand')),
  state text not null default 'running' check (state in ('running', 'succeeded', 'failed', 'abandoned')),
  started_at timestamptz(3) not null default clock_timestamp(),
  finished_at timestamptz(3),
  attempts smallint not null default 1,
  options jsonb not null default '{}',
  result jsonb,
  error text,
  unique (job, scheduled_for)
);
comment on table job_runs is 'one row a slot and job, so that two processes or a restart run it once; rows of minutely jobs are kept 2 days, others 400';
comment on column job_runs.scheduled_for is 'the slot (UTC minute); null: started by hand';
comment on column job_runs.state is 'abandoned: its process ended in the middle of it (nobody holds the job''s advisory lock)';
comment on column job_runs.error is 'class and code of the fault; the log has the rest';
create index job_runs_by_job on job_runs (job, started_at desc);

create table service_days (
  day date primary key,
  minutes bit(1440) not null
);
comment on table service_days is 'bit n is set when the service was up in UTC minute n of the day; 180 bytes a day';
