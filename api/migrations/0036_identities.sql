-- People whom another provider signs in (OpenID Connect): known by the provider's own name for them.

create table user_identities (
  identity_index bytea primary key,
  user_id uuid not null references users on delete cascade,
  issuer text not null,
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3) not null default now(),
  unique (user_id, issuer)
);
comment on table user_identities is 'who signs in through another provider; one for each account and provider';
comment on column user_identities.identity_index is 'HMAC of issuer and subject under the keyring: never the address, which a provider may give to somebody else';
call isolate_accounts('user_identities');
