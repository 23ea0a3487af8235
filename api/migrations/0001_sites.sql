-- Two roles and the tenants. The owner migrates; marketing_app serves, and owns nothing.

-- Roles belong to the whole server, so another database of it may have made this one already.
do $$
begin
  if not exists (select from pg_roles where rolname = 'marketing_app') then
    create role marketing_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
  end if;
end $$;

revoke create on schema public from public;
grant usage on schema public to marketing_app;
alter default privileges in schema public grant select, insert, update, delete on tables to marketing_app;
alter default privileges in schema public grant usage, select on sequences to marketing_app;

-- The sites the running transaction works for. Unset means none: a forgotten setting shows nothing.
create function current_sites() returns uuid[]
language sql stable parallel safe
return coalesce(string_to_array(nullif(current_setting('marketing.sites', true), ''), ',')::uuid[], '{}');
comment on function current_sites is
  'sites named by set_config(''marketing.sites'', ''<uuid>,<uuid>'', true) in this transaction; row level security reads it';

-- Row level security for one table, the same words for all of them.
create procedure isolate_sites(target regclass)
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  -- (select …) is planned once a statement instead of called once a row
  execute format(
    'create policy own_sites on %s using (site_id = any ((select current_sites())::uuid[])) with check (site_id = any ((select current_sites())::uuid[]))',
    target);
end $$;
revoke all on procedure isolate_sites from public;

create table sites (
  site_id uuid primary key default uuidv7(),
  key text not null unique check (length(key) between 1 and 128),
  name text not null default '',
  domain text check (domain = lower(domain)),
  origins text[] not null default '{}',
  settings jsonb not null default '{}',
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
comment on table sites is 'tenants; key is the public propertyId, origins are exact (scheme://host[:port])';
alter table sites enable row level security;
alter table sites force row level security;
-- Recognising a request means looking through all sites, so this one table is open to the app's role.
create policy every_site on sites using (true) with check (true);

insert into sites (key, name) values ('default', 'Default site');
