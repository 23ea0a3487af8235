-- What a site may show its visitors, and how that looks. No column holds a number that somebody typed: a claim says which
-- rows are counted.

create table templates (
  site_id uuid not null references sites,
  template_id uuid not null default uuidv7(),
  version integer not null default 1,
  name text not null check (length(name) between 1 and 100),
  tokens jsonb not null,
  css text check (octet_length(css) <= 16384),
  created_at timestamptz(3) not null default now(),
  changed_at timestamptz(3) not null default now(),
  primary key (site_id, template_id)
);
comment on table templates is 'how notifications look';
comment on column templates.css is 'our own print of what was sent and allowed, never what was sent';
call isolate_sites('templates');

create table notifications (
  site_id uuid not null references sites,
  notification_id uuid not null default uuidv7(),
  version integer not null default 1,
  kind text not null check (kind in ('recent_activity', 'count', 'live_visitors', 'review', 'message')),
  status text not null default 'draft' check (status in ('draft', 'scheduled', 'running', 'paused', 'ended')),
  created_at timestamptz(3) not null default now(),
  changed_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  primary key (site_id, notification_id),
  check ((status = 'ended') = (ended_at is not null))
);
comment on table notifications is 'messages a site may show; what one says is its newest row of notification_versions';
create index notifications_at_work on notifications (site_id, status) where status in ('scheduled', 'running');
call isolate_sites('notifications');

create table notification_versions (
  site_id uuid not null,
  notification_id uuid not null,
  version integer not null,
  status text not null,
  name text not null check (length(name) between 1 and 100),
  claim jsonb,
  source jsonb,
  texts jsonb not null,
  template_id uuid,
  settings jsonb not null,
  made_by text not null,
  made_at timestamptz(3) not null default now(),
  primary key (site_id, notification_id, version),
  foreign key (site_id, notification_id) references notifications on delete cascade
);
comment on table notification_versions is 'every state a notification was ever in; append-only for the app''s role';
comment on column notification_versions.claim is 'which rows it speaks of: {of, where, days, minimum}';
comment on column notification_versions.source is 'of a message: where its words come from: {url, statedOn}';
comment on column notification_versions.settings is 'link, channels, priority, targeting, trigger, frequency, schedule';
call isolate_sites('notification_versions');
revoke update, delete, truncate on notification_versions from marketing_app;
