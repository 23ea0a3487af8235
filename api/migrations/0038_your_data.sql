-- Links by which people see, correct, take along and delete what is held about them, without writing to anybody first.

create table your_data_links (
  site_id uuid not null references sites,
  link_id uuid not null default uuidv7(),
  kind text not null check (kind in ('look', 'address')),
  email_normalized text,
  mail_to text,
  email_hash bytea not null,
  asked_by bytea not null,
  asked_at timestamptz(3) not null default now(),
  language text not null check (language in ('en', 'fr')),
  token_hash bytea,
  expires_at timestamptz(3),
  uses smallint not null default 0,
  attempts smallint not null default 0,
  next_attempt_at timestamptz(3) default now(),
  primary key (site_id, link_id)
) with (fillfactor = 80);
comment on table your_data_links is 'who asks to see their own data: the same row for every address, known or not; what is mailed is decided afterwards';
comment on column your_data_links.kind is 'look: opens what is held; address: says that mail_to is to take the place of email_normalized';
comment on column your_data_links.email_normalized is 'whose data; null: nobody''s, or the link has run out';
comment on column your_data_links.email_hash is 'keyed hash of the address that the mail goes to, for the bounds of a day';
comment on column your_data_links.token_hash is 'of the random half of the link, made anew with each attempt; the link itself is nowhere';
comment on column your_data_links.uses is 'how often it was opened or acted by: whoever has a link must not lengthen registers and logs without end';
comment on column your_data_links.next_attempt_at is 'null: it was mailed, given up, or there is nobody to mail to';
create index your_data_links_by_age on your_data_links (site_id, asked_at);
create index your_data_links_due on your_data_links (next_attempt_at) where next_attempt_at is not null;
create unique index your_data_links_by_token on your_data_links (site_id, token_hash) where token_hash is not null;
call isolate_sites('your_data_links');

-- withdrawn on that page
alter table consent_records drop constraint consent_records_basis_check, add constraint consent_records_basis_check check (
  basis in ('form', 'double_opt_in', 'unsubscribe_link', 'one_click', 'unsubscribe_request', 'self_service', 'import', 'expiry', 'purchase', 'admin'));
