-- Nothing is silent: what arrived, what became of it, and which days have to be counted again.

create table ingest_ledger (
  site_id uuid not null references sites,
  day date not null,
  outcome text not null check (outcome in ('received', 'accepted', 'duplicate', 'rejected')),
  reason text not null default '',
  slot smallint not null default pg_backend_pid() % 16,
  count bigint not null,
  primary key (site_id, day, outcome, reason, slot)
) with (fillfactor = 70);
comment on column ingest_ledger.slot is 'writers of one site would otherwise wait for each other on one row until commit; sum over it';
comment on table ingest_ledger is 'per site and UTC day of arrival: received = accepted + duplicate + sum(rejected); reason only for rejected';
call isolate_sites('ingest_ledger');

create table rejections (
  site_id uuid not null references sites,
  rejection_id uuid not null default uuidv7(),
  received_at timestamptz(3) not null default now(),
  route text not null,
  reason text not null,
  details jsonb,
  primary key (site_id, rejection_id)
);
comment on table rejections is 'samples of what was refused (at most some a second); the ledger has the full count';
comment on column rejections.details is 'fields and rules that failed; never the values';
call isolate_sites('rejections');

create table ingest_latencies (
  site_id uuid not null references sites,
  day date not null,
  bucket smallint not null,
  count bigint not null,
  primary key (site_id, day, bucket)
) with (fillfactor = 70);
comment on table ingest_latencies is 'server time of the write routes, mergeable: bucket b holds (1.1^(b-1), 1.1^b] hundredths of a millisecond';
call isolate_sites('ingest_latencies');

create table dirty_days (
  mark_id bigint generated always as identity primary key,
  site_id uuid not null,
  day date not null,
  cause text not null,
  marked_at timestamptz(3) not null default now()
);
comment on table dirty_days is 'days whose rollup is no longer right, marked in the transaction that made it so; append-only for writers, removed by the rollup (an upsert would make ingestion wait for it)';
call isolate_sites('dirty_days');
