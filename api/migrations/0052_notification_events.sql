-- What visitors saw of a site's notifications and did with them: rows of the same batch as other events, in a table of their own, so
-- that no session and no number of visitors meets them. Months, and below each eight parts by site: one busy site walks an
-- eighth of the others' rows.

create table notification_events (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  notification_id uuid not null,
  occurred_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  kind text not null check (kind in ('exposed', 'shown', 'hovered', 'clicked', 'dismissed')),
  variant text not null,
  receipt_id text,
  bot_reason text,
  -- also how a visitor's rows are found: caps, erasure, what is held about somebody
  primary key (site_id, visitor_id, created_at, event_id)
) partition by range (created_at);
comment on table notification_events is 'what visitors saw of notifications and did with them; a month a partition, made ahead by make_notification_partitions';
comment on column notification_events.created_at is 'when it arrived; what arrives now has a partition, whatever the browser''s clock says';
comment on column notification_events.bot_reason is 'null: human, unless a verdict about the visitor says otherwise';
-- for counting days again; a second tree that begins with the site would be taken for a visitor's rows while both are empty
create index notification_events_by_time on notification_events using brin (occurred_at);
call isolate_sites('notification_events');

create function make_notification_partitions(first_day date, last_day date) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  month date;
  month_name text;
  part text;
  made integer := 0;
begin
  if last_day - first_day > 1500 then
    raise exception 'too many partitions asked for: % to %', first_day, last_day;
  end if;
  for month in select generate_series(date_trunc('month', first_day::timestamp), last_day, interval '1 month')::date loop
    month_name := 'notification_events_' || to_char(month, 'YYYYMM');
    if to_regclass('public.' || month_name) is not null then
      continue;
    end if;
    perform pg_advisory_xact_lock(hashtext('notification_partitions'));
    execute format('create table if not exists public.%I partition of public.notification_events for values from (%L) to (%L) partition by hash (site_id)',
      month_name, month::timestamp at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    execute format('alter table public.%I enable row level security, force row level security', month_name);
    execute format('revoke all on public.%I from marketing_app', month_name);
    for n in 0..7 loop
      part := month_name || '_' || n;
      if to_regclass('public.' || part) is null then
        execute format('create table public.%I partition of public.%I for values with (modulus 8, remainder %s)', part, month_name, n);
        execute format('alter table public.%I enable row level security, force row level security', part);
        execute format('revoke all on public.%I from marketing_app', part);
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end $$;
comment on function make_notification_partitions is 'makes the missing partitions of notification_events for the months from first_day to last_day; answers how many';

create function drop_notification_partitions(before_day date) returns setof text
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  old text;
begin
  if before_day > (now() at time zone 'UTC')::date then
    raise exception 'too young to drop';
  end if;
  perform pg_advisory_xact_lock(hashtext('notification_partitions'));
  for old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.notification_events'::regclass
      and c.relname < 'notification_events_' || to_char(before_day, 'YYYYMM')
    order by 1
  loop
    execute format('drop table public.%I', old);
    return next old;
  end loop;
end $$;
comment on function drop_notification_partitions is 'drops the months of notification_events that lie wholly before before_day; answers their names';
revoke all on function make_notification_partitions, drop_notification_partitions from public;
grant execute on function make_notification_partitions, drop_notification_partitions to marketing_app;

create table daily_notification_rollups (
  site_id uuid not null,
  day date not null,
  notification_id uuid not null,
  variant text not null,
  exposed bigint not null,
  shown bigint not null,
  hovered bigint not null,
  clicked bigint not null,
  dismissed bigint not null,
  viewers bigint not null,
  clickers bigint not null,
  dismissers bigint not null,
  primary key (site_id, day, notification_id, variant)
);
comment on table daily_notification_rollups is 'what a day''s people saw of each notification, by variant; viewers, clickers and dismissers are distinct visitors of that day';
comment on column daily_notification_rollups.variant is 'a variant of the notification''s tests, "a" where nothing is tested, or "" for all others that pages sent';
call isolate_sites('daily_notification_rollups');
