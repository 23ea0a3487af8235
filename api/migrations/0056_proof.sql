-- What notifications claim can be shown to be true: receipts, the keys that sign them, and what a feed must hear of.

alter table conversions add column items text[] check (cardinality(items) <= 5);
alter table conversions add column country text check (country ~ '^[A-Z]{2}$');
comment on column conversions.items is 'names of products, as the customer''s server told them';

create table proof_keys (
  key_id text primary key,
  public_key bytea not null,
  first_used_at timestamptz(3) not null default now()
);
comment on table proof_keys is 'Ed25519 public keys that signed receipts; the private ones are derived from the secrets, and stand nowhere';
revoke update, delete, truncate on proof_keys from marketing_app;

create table receipts (
  site_id uuid not null,
  receipt_id bytea not null check (octet_length(receipt_id) = 16),
  notification_id uuid not null,
  version integer not null,
  value bigint,
  as_of timestamptz(3) not null,
  excluded integer[] check (cardinality(excluded) = 3),
  key_id text not null references proof_keys,
  signature bytea not null,
  primary key (site_id, receipt_id),
  foreign key (site_id, notification_id, version) references notification_versions on delete cascade
);
comment on table receipts is 'one claim as it was shown, signed; its words are those of the notification''s version';
comment on column receipts.receipt_id is 'the first 16 bytes of SHA-256 of what is signed';
comment on column receipts.excluded is 'rows that were left out: bots, staff, voided';
create index receipts_of on receipts (site_id, notification_id, as_of desc);
call isolate_sites('receipts');
revoke update, truncate on receipts from marketing_app;
-- the purge holds a row before it ends it, which asks for this; a changed key fails the signature as any change does
grant update (key_id) on receipts to marketing_app;

create table receipt_acts (
  site_id uuid not null,
  act_id uuid not null default uuidv7(),
  receipt_id bytea not null,
  lead_id uuid not null,
  primary key (site_id, act_id),
  unique (site_id, receipt_id),
  foreign key (site_id, receipt_id) references receipts on delete cascade
);
comment on table receipt_acts is 'whose act a receipt is of; without this row it is gone';
create index receipt_acts_of on receipt_acts (site_id, lead_id);
call isolate_sites('receipt_acts');

-- Whichever process serves a feed is told with the commit; what grows waits for its minute.
create function tell_feed() returns trigger language plpgsql as $$
begin
  perform pg_notify('feed', new.site_id::text);
  return null;
end $$;
comment on function tell_feed is 'heard by src/product/proof/feeds.ts';
create trigger feed_changed_by_refund after update on conversions for each row
  when (old.voided_at is distinct from new.voided_at) execute function tell_feed();
create trigger feed_changed_by_erasure after insert on erasures for each row execute function tell_feed();
create trigger feed_changed_by_verdict after insert on bot_verdicts for each row execute function tell_feed();
create trigger feed_changed_by_settings after update on sites for each row
  when (old.settings is distinct from new.settings) execute function tell_feed();
