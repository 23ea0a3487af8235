-- Addresses of who gets mail about a site are sealed as those of users are, and found by a keyed hash, so that no dump holds them.
-- PostgreSQL has neither key: the next start seals what stands here.

alter table mail_recipients drop column email_normalized;
alter table mail_recipients alter column mail_to drop not null;
alter table mail_recipients add column email_hash bytea;
alter table mail_recipients add constraint mail_recipients_site_id_email_hash_key unique (site_id, email_hash);
comment on column mail_recipients.mail_to is 'null: it is sealed in mail_recipient_addresses; else the start after that migration does that';
comment on column mail_recipients.email_hash is 'keyed, as everywhere: finds the row, and tells nobody without the pepper an address';

create table mail_recipient_addresses (
  recipient_id uuid primary key,
  site_id uuid not null,
  sealed bytea not null,
  key_id uuid not null references encryption_keys,
  foreign key (site_id, recipient_id) references mail_recipients on delete cascade
);
comment on table mail_recipient_addresses is 'addresses of who gets mail about a site';
create index mail_recipient_addresses_of_recipient on mail_recipient_addresses (site_id, recipient_id);
call isolate_accounts('mail_recipient_addresses');
-- a purge counts what goes along with recipients, by site; what is in here nobody reads without the keys, which are of accounts alone
create policy counted on mail_recipient_addresses for select using (site_id = any ((select current_sites())::uuid[]));
