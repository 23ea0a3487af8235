-- Keys of programs, people who sign in, and what they may do where. Nobody reads these tables but who says so: a fault in
-- a query about numbers reads no secret.

create function in_accounts() returns boolean
language sql stable parallel safe
return coalesce(current_setting('marketing.accounts', true) = 'on', false);
comment on function in_accounts is 'whether this transaction is about accounts; row level security of their tables reads it';

create procedure isolate_accounts(target regclass)
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy accounts on %s using ((select in_accounts())) with check ((select in_accounts()))', target);
end $$;
revoke all on procedure isolate_accounts from public;

create table api_keys (
  key_id uuid primary key default uuidv7(),
  name text not null check (length(name) between 1 and 200),
  secret_hash bytea not null,
  scopes text[] not null check (cardinality(scopes) > 0),
  site_ids uuid[] check (cardinality(site_ids) > 0),
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  last_used_on date,
  revoked_at timestamptz(3)
);
comment on table api_keys is 'keys of programs; the secret as its SHA-256, since 256 random bits need no slower hash';
comment on column api_keys.site_ids is 'null: every site, also those to come';
comment on column api_keys.made_by is 'the actor, as in the audit log';
call isolate_accounts('api_keys');

create table encryption_keys (
  key_id uuid primary key default uuidv7(),
  purpose text not null check (purpose = 'accounts'),
  wrapped bytea not null,
  wrapped_by text not null,
  created_at timestamptz(3) not null default now()
);
comment on table encryption_keys is 'keys of the personal data of users, themselves encrypted under the keyring (ACCOUNT_KEYS), which is in no backup';
comment on column encryption_keys.wrapped_by is 'fingerprint of the key of the keyring that opens it';
call isolate_accounts('encryption_keys');

create table users (
  user_id uuid primary key default uuidv7(),
  email_encrypted bytea not null,
  email_key_id uuid not null references encryption_keys,
  email_index bytea not null unique,
  full_name_encrypted bytea not null,
  full_name_key_id uuid not null references encryption_keys,
  password_phc text,
  is_owner boolean not null default false,
  strong_since timestamptz(3),
  language text not null default 'en' check (language in ('en', 'fr')),
  time_zone text not null default 'UTC',
  created_at timestamptz(3) not null default now(),
  disabled_at timestamptz(3)
);
comment on column users.email_index is 'HMAC-SHA256 of the normalized address under the keyring: finds the row, and tells nobody without the keyring an address';
comment on column users.password_phc is 'argon2id with the keyring''s pepper; null: no password';
comment on column users.strong_since is 'since when their role asks for a second factor';
call isolate_accounts('users');

create table site_grants (
  user_id uuid not null references users on delete cascade,
  site_id uuid not null references sites on delete cascade,
  role text not null check (role in ('admin', 'analyst', 'viewer', 'privacy')),
  granted_at timestamptz(3) not null default now(),
  granted_by text not null,
  primary key (user_id, site_id)
);
comment on table site_grants is 'what somebody is at a site; an owner is one everywhere and has none of these';
create index site_grants_of_site on site_grants (site_id);
call isolate_accounts('site_grants');

create table user_factors (
  user_id uuid not null references users on delete cascade,
  factor_id uuid not null default uuidv7(),
  kind text not null check (kind in ('totp', 'recovery')),
  secret_encrypted bytea,
  key_id uuid references encryption_keys,
  secret_hash bytea,
  last_step bigint,
  created_at timestamptz(3) not null default now(),
  confirmed_at timestamptz(3),
  primary key (user_id, factor_id),
  check ((kind = 'totp') = (secret_encrypted is not null)),
  check ((kind = 'totp') = (key_id is not null)),
  check ((kind = 'recovery') = (secret_hash is not null))
);
comment on table user_factors is 'second factors: a secret of time-based codes, or a recovery code as its hash, whose row goes when it is used';
comment on column user_factors.last_step is 'the last thirty seconds whose code was used: each is taken once';
create unique index user_factors_totp on user_factors (user_id) where kind = 'totp';
call isolate_accounts('user_factors');

create table user_sessions (
  session_id uuid primary key default uuidv7(),
  user_id uuid not null references users on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz(3) not null default now(),
  seen_at timestamptz(3) not null default now(),
  proved_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  idle_minutes integer not null,
  device text not null
);
comment on table user_sessions is 'who is signed in where; the cookie''s token as its hash; an ended session''s row is gone';
create index user_sessions_of_user on user_sessions (user_id);
call isolate_accounts('user_sessions');

create table one_time_links (
  link_id uuid primary key default uuidv7(),
  kind text not null check (kind in ('setup', 'invitation', 'reset')),
  token_hash bytea not null unique,
  user_id uuid references users on delete cascade,
  role text check (role in ('owner', 'admin', 'analyst', 'viewer', 'privacy')),
  site_ids uuid[],
  email_encrypted bytea,
  email_key_id uuid references encryption_keys,
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  used_at timestamptz(3),
  check ((kind = 'reset') = (user_id is not null)),
  check ((kind = 'reset') = (role is null)),
  check ((role is null or role = 'owner') = (site_ids is null))
);
comment on table one_time_links is 'links that work once: to set up the first account, to join, to choose a new password; the token as its hash';
create index one_time_links_of_user on one_time_links (user_id);
call isolate_accounts('one_time_links');

create table auth_events (
  event_id uuid primary key default uuidv7(),
  at timestamptz(3) not null default now(),
  kind text not null,
  outcome text not null check (outcome in ('done', 'failed')),
  method text,
  user_id uuid,
  actor text not null,
  request_id uuid
);
comment on table auth_events is 'every proof of who somebody is, and every change of how they prove it; an id, never an address; append-only for the app''s role';
create index auth_events_of_user on auth_events (user_id, at);
call isolate_accounts('auth_events');
revoke update, delete, truncate on auth_events from marketing_app;

create function purge_auth_events(before timestamptz, only_failed boolean) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  purged bigint;
begin
  if before > now() - interval '80 days' or (not only_failed and before > now() - interval '1 year') then
    raise exception 'too young to purge';
  end if;
  perform set_config('marketing.accounts', 'on', true);
  delete from public.auth_events where at < before and (outcome = 'failed' or not only_failed);
  get diagnostics purged = row_count;
  return purged;
end $$;
revoke all on function purge_auth_events from public;
grant execute on function purge_auth_events to marketing_app;
