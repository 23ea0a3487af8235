-- A visit that goes on may be counted a minute later, once for all that happened in it.

alter table dirty_visits add column marked_at timestamptz(3) not null default now();
comment on column dirty_visits.marked_at is 'since when it waits to be counted';
