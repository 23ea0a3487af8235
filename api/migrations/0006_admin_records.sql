-- What administrators did, and what went wrong: the audit log and the register of breaches.

create table audit_log (
  site_id uuid not null,
  audit_id uuid not null default uuidv7(),
  at timestamptz(3) not null default now(),
  actor text not null,
  action text not null,
  target text,
  outcome smallint not null,
  request_id uuid,
  details jsonb,
  primary key (site_id, audit_id)
);
comment on table audit_log is 'every admin action; append-only for the app''s role; kept 7 years';
comment on column audit_log.site_id is 'the nil id for actions that belong to no site';
comment on column audit_log.target is 'an id, never an address';
comment on column audit_log.outcome is 'HTTP status answered';
call isolate_sites('audit_log');
revoke update, delete, truncate on audit_log from marketing_app;

create function purge_audit_log(before timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  purged bigint;
begin
  if before > now() - interval '1 year' then
    raise exception 'too young to purge';
  end if;
  delete from public.audit_log where at < before and site_id = any (public.current_sites());
  get diagnostics purged = row_count;
  return purged;
end $$;
revoke all on function purge_audit_log from public;
grant execute on function purge_audit_log to marketing_app;

create table breaches (
  site_id uuid not null references sites,
  breach_id uuid not null default uuidv7(),
  title text not null,
  description text not null,
  discovered_at timestamptz(3) not null,
  happened_at timestamptz(3),
  affected_count integer check (affected_count >= 0),
  data_kinds text[] not null default '{}',
  harm text,
  measures text,
  authority_told_at timestamptz(3),
  people_told_at timestamptz(3),
  closed_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (site_id, breach_id)
);
comment on table breaches is 'register of breaches of personal data (PIPEDA: kept 24 months, GDPR Art. 33(5)); holds what happened, not who';
call isolate_sites('breaches');
