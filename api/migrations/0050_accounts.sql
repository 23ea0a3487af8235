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
