-- Tickets: a browser's EventSource can send no header, so it brings one of these, which is good once within a minute.

create table stream_tickets (
  ticket_hash bytea primary key,
  site_id uuid not null references sites on delete cascade,
  actor text not null,
  capabilities text[] not null,
  expires_at timestamptz(3) not null
);
comment on table stream_tickets is 'good once, for one stream of one site; by their SHA-256';
create index stream_tickets_of_site on stream_tickets (site_id);
call isolate_accounts('stream_tickets');
