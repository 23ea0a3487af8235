-- Passkeys: a key pair whose private half stays in somebody's device, which checks who they are before it signs.

create table passkeys (
  passkey_id uuid primary key default uuidv7(),
  user_id uuid not null references users on delete cascade,
  credential_id bytea not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null check (length(name) between 1 and 100),
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3)
);
comment on table passkeys is 'a key by which somebody signs in: its public half, and the name they gave it';
comment on column passkeys.counter is 'how often the device says it signed; a smaller number than this is a copy''s. 0: it does not count';
create index passkeys_of_user on passkeys (user_id);
call isolate_accounts('passkeys');
