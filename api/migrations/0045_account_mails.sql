-- Mails to people who sign in wait until a mail server has taken them; and a new address counts once a mail to it was answered.

create table account_mails (
  mail_id uuid primary key default uuidv7(),
  user_id uuid references users on delete cascade,
  kind text not null,
  language text not null check (language in ('en', 'fr')),
  sealed bytea not null,
  key_id uuid not null references encryption_keys,
  created_at timestamptz(3) not null default now(),
  due_at timestamptz(3) not null default now(),
  attempts integer not null default 0
);
comment on table account_mails is 'mails about accounts that no mail server has taken yet; in no backup';
comment on column account_mails.sealed is 'the address, and the link where there is one';
create index account_mails_due on account_mails (due_at);
create index account_mails_of_user on account_mails (user_id);
call isolate_accounts('account_mails');

alter table one_time_links drop constraint one_time_links_kind_check;
alter table one_time_links add constraint one_time_links_kind_check check (kind in ('setup', 'invitation', 'reset', 'email'));
alter table one_time_links drop constraint one_time_links_check;
alter table one_time_links drop constraint one_time_links_check1;
alter table one_time_links add constraint one_time_links_check check ((kind in ('reset', 'email')) = (user_id is not null));
alter table one_time_links add constraint one_time_links_check1 check ((kind in ('reset', 'email')) = (role is null));
