-- The installation has a name of its own: a backup says whose it is, and in a bucket nobody takes another's copies for its own.

create table installation (
  only_one boolean primary key default true check (only_one),
  id uuid not null default gen_random_uuid()
);
comment on table installation is 'one row; it travels with the data, so that who restores a backup goes on being the installation it is of';
insert into installation default values;

-- A job whose work is done but for a part of it (a backup that is here, and did not get into the bucket) is not one that succeeded.
alter table job_runs drop constraint job_runs_state_check;
alter table job_runs add constraint job_runs_state_check
  check (state in ('running', 'succeeded', 'incomplete', 'failed', 'abandoned'));
