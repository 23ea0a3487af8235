-- What visitors did: visitors, their sessions, and events partitioned by day so that retention drops days.

-- No foreign key to sites here: it would lock the site's row once for every new visitor, in the busiest statement of all.
-- A site is never deleted, and the row's own policy already demands a site that the transaction named.
create table visitors (
  site_id uuid not null,
  visitor_id uuid not null,
  first_seen_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  ip_hash bytea,
  ua_hash bytea,
  privacy_signal boolean not null default false,
  primary key (site_id, visitor_id)
) with (fillfactor = 85); -- last_seen_at changes with every event; room for the new version on the same page (HOT)
comment on table visitors is 'one browser on one site; never a person';
comment on column visitors.visitor_id is 'derived from site and anonId (SHA-256), so that every process finds the same one without asking; the anonId itself is not kept';
comment on column visitors.ip_hash is 'HMAC-SHA256(address, pepper) of the last request; the address is never stored';
comment on column visitors.privacy_signal is 'GPC or DNT was sent last; no link by heuristics';
-- heuristic links look for neighbours at the same address; last_seen_at stays out of it so that updates stay HOT
create index visitors_by_address on visitors (site_id, ip_hash, ua_hash) where ip_hash is not null;
call isolate_sites('visitors');

create table sessions (
  site_id uuid not null,
  session_id uuid not null default uuidv7(),
  visitor_id uuid not null,
  started_at timestamptz(3) not null,
  last_activity_at timestamptz(3) not null,
  landing_path text not null,
  referrer text,
  source text not null,
  utm jsonb,
  device_type text not null,
  browser text,
  os text,
  country text,
  primary key (site_id, session_id)
) with (fillfactor = 85);
comment on table sessions is 'one visit; landing_path, referrer, utm and source are its first touch by event time';
comment on column sessions.last_activity_at is 'the latest event of the session; for a closed session this is its end';
create index sessions_by_visitor on sessions (site_id, visitor_id, started_at desc);
call isolate_sites('sessions');

create table events (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  session_id uuid not null,
  occurred_at timestamptz(3) not null,
  received_at timestamptz(3) not null,
  event_type text not null,
  path text not null,
  referrer text,
  source text,
  utm jsonb,
  bot_reason text,
  clamped boolean not null,
  privacy_signal boolean not null,
  is_conversion boolean not null,
  engaged_ms integer,
  scroll_percent real,
  fcp_ms real,
  lcp_ms real,
  inp_ms real,
  ttfb_ms real,
  cls_score real,
  props jsonb
) partition by range (occurred_at);
comment on table events is 'raw events; one partition a UTC day; made ahead by make_event_partitions, dropped by drop_event_partitions';
comment on column events.occurred_at is 'browser clock, clamped to [received - 24 h, received + 5 min]; clamped says when it was';
comment on column events.source is 'traffic source class this event would give a session that it starts';
comment on column events.bot_reason is 'null: human. user_agent, declared, prefetch, or a later verdict; bots are kept, never counted';
-- A visitor's events in time order: late arrivals, a lead's timeline, erasure. Measured 0.002 ms a row.
create index events_by_visitor on events (site_id, visitor_id, occurred_at);
call isolate_sites('events');

create table event_keys (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  occurred_at timestamptz(3) not null,
  primary key (site_id, event_id)
);
comment on table event_keys is 'every stored event once: a unique index of a partitioned table cannot span its partitions, duplicates must';
create index event_keys_by_time on event_keys using brin (occurred_at); -- for the purge: some kB, no cost on insert
call isolate_sites('event_keys');

create table recent_bodies (
  site_id uuid not null,
  body_key uuid not null,
  event_id uuid not null,
  seen_at timestamptz(3) not null,
  primary key (site_id, body_key)
);
comment on table recent_bodies is 'digests of events sent without id and time: the same body within 30 s is the same event; older rows are purged';
call isolate_sites('recent_bodies');

-- The app's role owns no table, so partitions are made and dropped by these two, which can do nothing else.
create function make_event_partitions(first_day date, last_day date) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  wanted date;
  made integer := 0;
begin
  if last_day - first_day > 1500 then
    raise exception 'too many partitions asked for: % to %', first_day, last_day;
  end if;
  -- two processes starting at once
  perform pg_advisory_xact_lock(hashtext('event_partitions'));
  for wanted in select generate_series(first_day, last_day, interval '1 day')::date loop
    if to_regclass('public.events_' || to_char(wanted, 'YYYYMMDD')) is null then
      execute format(
        'create table public.%I partition of public.events for values from (%L) to (%L)',
        'events_' || to_char(wanted, 'YYYYMMDD'), wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
      -- reached only through events: without a policy of its own a partition shows nothing
      execute format('alter table public.%I enable row level security, force row level security',
        'events_' || to_char(wanted, 'YYYYMMDD'));
      execute format('revoke all on public.%I from marketing_app', 'events_' || to_char(wanted, 'YYYYMMDD'));
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
comment on function make_event_partitions is 'makes the missing daily partitions of events from first_day to last_day, both inclusive; answers how many';

create function drop_event_partitions(before_day date) returns setof text
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  old text;
begin
  perform pg_advisory_xact_lock(hashtext('event_partitions'));
  for old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.events'::regclass and c.relname < 'events_' || to_char(before_day, 'YYYYMMDD')
    order by 1
  loop
    execute format('drop table public.%I', old);
    return next old;
  end loop;
end $$;
comment on function drop_event_partitions is 'drops the partitions that lie wholly before before_day; answers their names';
revoke all on function make_event_partitions, drop_event_partitions from public;
grant execute on function make_event_partitions, drop_event_partitions to marketing_app;
