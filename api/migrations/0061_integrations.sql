-- Integrations: shops and payment services that tell what happened there.

create table integrations (
  site_id uuid not null references sites on delete cascade,
  integration_id uuid not null default uuidv7(),
  kind text not null check (kind in ('shopify', 'woocommerce', 'stripe', 'standard_webhooks', 'generic')),
  mapping jsonb not null default '{}',
  version integer not null default 1,
  made_by text not null,
  created_at timestamptz(3) not null default now(),
  refused bigint not null default 0,
  refused_at timestamptz(3),
  primary key (site_id, integration_id)
);
comment on table integrations is 'shops and payment services that tell what happened there';
comment on column integrations.refused is 'deliveries whose signature was not theirs';
call isolate_sites('integrations');

create table integration_secrets (
  secret_id uuid primary key default uuidv7(),
  site_id uuid not null,
  integration_id uuid not null,
  sealed bytea not null,
  key_id uuid not null references encryption_keys,
  created_at timestamptz(3) not null default now(),
  ends_at timestamptz(3),
  foreign key (site_id, integration_id) references integrations on delete cascade
);
comment on table integration_secrets is 'what deliveries are signed with; several while a new one is put in place';
create index integration_secrets_of_integration on integration_secrets (site_id, integration_id);
call isolate_accounts('integration_secrets');

create table inbound_deliveries (
  site_id uuid not null references sites on delete cascade,
  integration_id uuid not null,
  delivery_key bytea not null,
  outcome text not null check (outcome in ('stored', 'ignored')),
  received_at timestamptz(3) not null default now(),
  primary key (site_id, integration_id, delivery_key),
  foreign key (site_id, integration_id) references integrations on delete cascade
);
comment on table inbound_deliveries is 'what came already, as a hash of its id: the same again changes nothing';
call isolate_sites('inbound_deliveries');
