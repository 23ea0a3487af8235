-- Reports by mail: who gets mail about a site once they said yes, which reports leave when, and how far each copy has come.

create table mail_recipients (
  site_id uuid not null references sites,
  recipient_id uuid not null default uuidv7(),
  email_normalized text not null,
  mail_to text not null,
  language text not null check (language in ('en', 'fr')),
  link_key text not null,
  asked_at timestamptz(3) not null default now(),
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) default now(),
  confirmed_at timestamptz(3),
  left_at timestamptz(3),
  primary key (site_id, recipient_id),
  unique (site_id, email_normalized)
);
comment on table mail_recipients is 'who gets reports and warnings about a site by mail; nothing is sent before they said yes';
comment on column mail_recipients.next_attempt_at is 'of the mail that asks; null: it was sent or given up';
comment on column mail_recipients.link_key is 'of the links to say yes and to leave; never ends';
call isolate_sites('mail_recipients');

create table mail_reports (
  site_id uuid not null references sites,
  report_id uuid not null default uuidv7(),
  every text not null check (every in ('week', 'month')),
  weekday smallint check (weekday between 1 and 7),
  hour smallint not null check (hour between 0 and 23),
  time_zone text not null,
  language text not null check (language in ('en', 'fr')),
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  primary key (site_id, report_id),
  check ((every = 'week') = (weekday is not null))
);
comment on table mail_reports is 'reports that leave by mail once a week or month';
comment on column mail_reports.weekday is '1 Monday … 7 Sunday';
call isolate_sites('mail_reports');

create table mail_report_copies (
  site_id uuid not null,
  report_id uuid not null,
  recipient_id uuid not null,
  told_through date not null,
  sent_at timestamptz(3),
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null default now(),
  last_error text,
  primary key (site_id, report_id, recipient_id),
  foreign key (site_id, report_id) references mail_reports on delete cascade,
  foreign key (site_id, recipient_id) references mail_recipients on delete cascade
);
comment on table mail_report_copies is 'who gets which report, and the last day they were told of or that was given up';
create index mail_report_copies_of_recipient on mail_report_copies (site_id, recipient_id);
call isolate_sites('mail_report_copies');
