-- The outbox: what happened, for other systems to be told of it, written in the transaction of its cause.

create table outbox_heads (
  site_id uuid primary key references sites on delete cascade,
  last_seq bigint not null default 0,
  listened_until timestamptz(3) not null default '-infinity'
);
comment on table outbox_heads is 'one row a site: its last number, and until when anybody wants to be told; its lock is the order of the numbers';
comment on column outbox_heads.listened_until is 'infinity while an endpoint is switched on; a day after a stream was last opened';
call isolate_sites('outbox_heads');

create table outbox (
  site_id uuid not null references sites on delete cascade,
  seq bigint not null,
  type text not null,
  data jsonb not null,
  lead_id uuid,
  visitor_id uuid,
  at timestamptz(3) not null default now(),
  primary key (site_id, seq)
);
comment on table outbox is 'what happened, by ids; kept a day, and ten thousand a site';
comment on column outbox.seq is 'the number before it is committed before it is seen: a reader who goes by it misses nothing';
call isolate_sites('outbox');
