-- Fields that a site defines for itself, of leads, visitors and events; who changes a plan names its version; and that somebody was
-- warned of a plan is written down, so that it is said once.

create table custom_fields (
  site_id uuid not null references sites on delete cascade,
  field_id uuid not null default uuidv7(),
  name text not null check (length(name) between 1 and 64),
  field_type text not null check (field_type in ('text', 'number', 'boolean', 'date', 'enum')),
  applies_to text not null check (applies_to in ('lead', 'visitor', 'event')),
  personal boolean not null,
  options text[] check ((options is not null) = (field_type = 'enum')),
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (site_id, field_id)
);
comment on table custom_fields is 'what a value of this name has to be, in a form or an event; the values stand in leads.attributes and events.props';
-- what a visitor's and an event's are read from is the same place
create unique index custom_fields_named on custom_fields (site_id, (applies_to = 'lead'), name);
call isolate_sites('custom_fields');

create function tell_custom_fields_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('custom_fields_changed', '');
  return null;
end $$;
comment on function tell_custom_fields_changed is 'heard by src/ground/db/presence.ts';
create trigger custom_fields_changed after insert or update or delete on custom_fields
  for each statement execute function tell_custom_fields_changed();

alter table plans add column version integer not null default 1;

create table plan_warnings (
  site_id uuid not null references sites on delete cascade,
  month date not null,
  what text not null check (what in ('events', 'impressions')),
  percent integer not null check (percent in (80, 100)),
  plan_limit bigint not null,
  warned_at timestamptz(3) not null default now(),
  primary key (site_id, month, what, percent, plan_limit)
);
comment on table plan_warnings is 'that it was told how far a site''s month had come; a larger plan is a limit of its own';
call isolate_sites('plan_warnings');
