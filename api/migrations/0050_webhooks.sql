-- Webhooks: endpoints of other systems, and what each of them is to be told.

create table webhooks (
  site_id uuid not null references sites on delete cascade,
  webhook_id uuid not null default uuidv7(),
  kind text not null check (kind in ('endpoint', 'hook')),
  url text not null check (length(url) between 1 and 2000),
  types text[] not null check (cardinality(types) > 0),
  personal boolean not null default false,
  version integer not null default 1,
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  disabled_at timestamptz(3),
  disabled_why text check (disabled_why in ('by_hand', 'gone', 'failures')),
  failing_since timestamptz(3),
  failures integer not null default 0,
  resting_until timestamptz(3) not null default '-infinity',
  leased_until timestamptz(3) not null default '-infinity',
  dropped bigint not null default 0,
  primary key (site_id, webhook_id),
  check ((disabled_at is null) = (disabled_why is null))
);
comment on table webhooks is 'endpoints of other systems that are told what happened';
comment on column webhooks.kind is 'hook: made by a program for itself (REST hooks), and gone when it says so';
comment on column webhooks.leased_until is 'until when a process has it in hand: one delivery of an endpoint is under way at a time';
comment on column webhooks.resting_until is 'after silence: nothing is tried before';
comment on column webhooks.dropped is 'deliveries that were never made, because over ten thousand waited';
call isolate_sites('webhooks');

create table deliveries (
  site_id uuid not null references sites on delete cascade,
  delivery_id uuid not null default uuidv7(),
  webhook_id uuid not null,
  type text not null,
  data jsonb not null,
  lead_id uuid,
  visitor_id uuid,
  happened_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  due_at timestamptz(3) not null default now(),
  tries integer not null default 0,
  attempts jsonb not null default '[]',
  primary key (site_id, delivery_id),
  foreign key (site_id, webhook_id) references webhooks on delete cascade
);
comment on table deliveries is 'what an endpoint is to be told, and how each try ended; never what it answered';
create index deliveries_due on deliveries (site_id, webhook_id, due_at) where state = 'pending';
create index deliveries_of_webhook on deliveries (site_id, webhook_id, delivery_id);
create index deliveries_of_lead on deliveries (site_id, lead_id) where lead_id is not null;
call isolate_sites('deliveries');

create table webhook_secrets (
  secret_id uuid primary key default uuidv7(),
  site_id uuid not null,
  webhook_id uuid not null,
  sealed bytea not null,
  key_id uuid not null references encryption_keys,
  created_at timestamptz(3) not null default now(),
  ends_at timestamptz(3),
  foreign key (site_id, webhook_id) references webhooks on delete cascade
);
comment on table webhook_secrets is 'what deliveries are signed with; several while a rotation overlaps';
create index webhook_secrets_of_webhook on webhook_secrets (site_id, webhook_id);
call isolate_accounts('webhook_secrets');

create function queue_deliveries() returns trigger language plpgsql as $$
begin
  insert into deliveries (site_id, webhook_id, type, data, lead_id, visitor_id, happened_at)
  select new.site_id, w.webhook_id, new.type, new.data, new.lead_id, new.visitor_id, new.at
  from webhooks w where w.site_id = new.site_id and w.disabled_at is null and new.type = any (w.types);
  return null;
end $$;
comment on function queue_deliveries is 'in the transaction of the cause: what happened is told, or did not happen';
create trigger deliveries_of_news after insert on outbox for each row execute function queue_deliveries();
