-- Shared views: who has the link sees some numbers of one site, without an account.

create table shares (
  share_id uuid primary key default uuidv7(),
  site_id uuid not null references sites on delete cascade,
  name text not null check (length(name) between 1 and 200),
  token_hash bytea not null unique,
  views text[] not null check (cardinality(views) > 0),
  password_phc text,
  hide_money boolean not null,
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  last_used_on date,
  revoked_at timestamptz(3)
);
comment on table shares is 'links to some numbers of a site; the token as its SHA-256, a password as argon2id';
comment on column shares.views is 'names of reports';
create index shares_of_site on shares (site_id);
call isolate_accounts('shares');
